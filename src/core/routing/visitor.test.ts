import { describe, expect, it } from "vitest";
import { aDocument } from "../../../test/documents.ts";
import type { RoutingDocument } from "./document.ts";
import { bp } from "../unit.ts";
import { compileRouteTable, route } from "./route.ts";
import { keepSeat, type Seat } from "./visitor.ts";

const HALF = { epoch: 3, seq: 5, candidateBp: bp(5_000) };

/** A visitor that this document sends to stable, with a cookie that says he was on the candidate. */
function meet(seat: Partial<Seat> | null, document: Partial<RoutingDocument> = HALF, unit?: string | null) {
  const table = compileRouteTable(aDocument(document));
  const onStable = Array.from({ length: 50 }, (_, user) => `user-${user}`).find((user) => {
    return route(table, user, null, null).arm === "stable";
  });
  const before = route(table, unit === undefined ? (onStable ?? "") : unit, null, null);
  const full: Seat | null = seat === null ? null : { arm: "candidate", epoch: 3, seq: 6, candidateBp: 9_000, ...seat };
  return { table, before, kept: keepSeat(table, before, full) };
}

describe("the seat of a visitor", () => {
  it("RT-2: is kept where another data plane already follows a newer document of the same epoch", () => {
    const { table, before, kept } = meet({});
    const { choice } = table;
    expect(before).toMatchObject({ arm: "stable", reason: "sticky" });
    expect(choice.kind).toBe("both");
    const target = choice.kind === "both" ? choice.candidate : null;
    expect(kept).toEqual({ ...before, arm: "candidate", reason: "pin", target });
  });

  it.each([
    ["there is none", null, HALF],
    ["it is of this document", { seq: 5 }, HALF],
    ["it is of an older one", { seq: 4 }, HALF],
    ["it is of the epoch before", { epoch: 2 }, HALF],
    ["it is of the epoch after", { epoch: 4 }, HALF],
    ["it is on the arm that he is sent to", { arm: "stable" }, HALF],
    ["only one arm is open", {}, { ...HALF, closed: ["candidate"], candidateBp: bp(0) }],
  ] as const)("RT-2: the document decides where %s", (_, seat, document) => {
    const { before, kept } = meet(seat, document);
    expect(before.arm).toBe("stable");
    expect(kept).toBe(before);
  });

  it("RT-2: nobody who was not sent by share is moved by it", () => {
    const { before, kept } = meet({}, HALF, null);
    expect(before).toMatchObject({ arm: "stable", reason: "no-unit" });
    expect(kept).toBe(before);
  });
});
