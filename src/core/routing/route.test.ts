import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aDocument } from "../../../test/documents.ts";
import type { ServingArm } from "../arm.ts";
import { isOnCandidate } from "../assign/bucket.ts";
import { xxHash32 } from "../assign/xxhash32.ts";
import { bp } from "../unit.ts";
import { compileRouteTable, type Pin, requestedArmOf, route } from "./route.ts";

const pinTo = (arm: ServingArm): Pin => ({ arm, purpose: "qa" });
const anArm = fc.constantFrom<ServingArm>("stable", "candidate");
const aUnit = fc.option(fc.oneof(fc.constantFrom("tester", "user-1"), fc.string({ maxLength: 20 })), { nil: null });
const aPin = fc.option(anArm.map(pinTo), { nil: null });
const aWish = fc.option(anArm, { nil: null });

describe("route", () => {
  it("RT-2: a unit keeps its arm while share and seed stay, whatever else changes in the document", () => {
    const before = compileRouteTable(aDocument({ candidateBp: bp(2_000) }));
    const after = compileRouteTable(aDocument({ candidateBp: bp(2_000), epoch: 9, seq: 4, drainMs: 1 }));
    for (let user = 0; user < 2_000; user++) {
      expect(route(after, `user-${user}`, null, null).arm).toBe(route(before, `user-${user}`, null, null).arm);
    }
  });

  it("RT-1: decides by the bucket hash and names it", () => {
    const table = compileRouteTable(aDocument({ candidateBp: bp(1_000) }));
    for (let user = 0; user < 2_000; user++) {
      const hash = xxHash32(`user-${user}`, 7);
      const arm = isOnCandidate(hash, bp(1_000)) ? "candidate" : "stable";
      const decision = route(table, `user-${user}`, null, null);
      expect(decision).toMatchObject({ arm, reason: "sticky", hash });
      expect(decision.target.cachePrefix).toBe(arm === "stable" ? "a1:" : "b2:");
    }
  });

  it("I9: a unit joins the candidate when the threshold passes its hash, not when it equals it", () => {
    const table = compileRouteTable(aDocument());
    const hash = xxHash32("user-1", 7);
    expect(route({ ...table, threshold: hash }, "user-1", null, null).arm).toBe("stable");
    expect(route({ ...table, threshold: hash + 1 }, "user-1", null, null).arm).toBe("candidate");
  });

  it("serves a request without a unit by stable, outside the draw", () => {
    const table = compileRouteTable(aDocument({ candidateBp: bp(10_000) }));
    expect(route(table, null, null, "candidate")).toMatchObject({ arm: "stable", reason: "no-unit", hash: null });
  });

  it("RT-10: puts an allow-listed unit on the candidate at the first share, and lets it choose (RT-4)", () => {
    const table = compileRouteTable(aDocument({ candidateBp: bp(1), allow: ["tester"] }));
    const before = compileRouteTable(aDocument({ candidateBp: bp(0), allow: ["tester"] }));
    expect(route(before, "tester", null, null)).toMatchObject({ arm: "stable", reason: "allow-list" });
    expect(route(before, "tester", null, "candidate").arm).toBe("candidate");
    expect(route(table, "tester", null, null)).toMatchObject({ arm: "candidate", reason: "allow-list" });
    expect(route(table, "tester", null, "candidate").arm).toBe("candidate");
    expect(route(table, "tester", null, "stable")).toMatchObject({ arm: "stable", reason: "allow-list" });
  });

  it("RT-4, S1: a unit that is not on the allow-list gets nothing by x-exp", () => {
    const table = compileRouteTable(aDocument({ candidateBp: bp(0), allow: ["tester"] }));
    expect(route(table, "user-1", null, "candidate")).toMatchObject({ arm: "stable", reason: "sticky" });
  });

  it("lets a verified pin win over the allow-list and the draw, with and without a unit", () => {
    const table = compileRouteTable(aDocument({ candidateBp: bp(10_000), allow: ["tester"] }));
    expect(route(table, "tester", pinTo("stable"), "candidate")).toMatchObject({ arm: "stable", reason: "pin" });
    expect(route(table, null, pinTo("candidate"), null)).toMatchObject({ arm: "candidate", reason: "pin", hash: null });
  });

  it("sends everything to stable with reason no-candidate while there is none", () => {
    const { stable } = aDocument().arms;
    const table = compileRouteTable(
      aDocument({ arms: { stable, candidate: null }, candidateBp: bp(0), allow: ["tester"] }),
    );
    expect(route(table, "tester", pinTo("candidate"), "candidate")).toMatchObject({
      arm: "stable",
      reason: "no-candidate",
    });
  });

  it("serves by the candidate alone when stable is closed", () => {
    const table = compileRouteTable(aDocument({ candidateBp: bp(10_000), closed: ["stable"] }));
    expect(route(table, null, pinTo("stable"), "stable")).toMatchObject({ arm: "candidate", reason: "closed-arm" });
  });

  it("I4: no unit, pin, allow-list entry or x-exp ever selects a closed arm", () => {
    const table = compileRouteTable(
      aDocument({ candidateBp: bp(0), closed: ["candidate"], allow: ["tester", "user-1"] }),
    );
    fc.assert(
      fc.property(aUnit, aPin, aWish, (unit, pin, wish) => {
        const { arm, reason, target } = route(table, unit, pin, wish);
        return arm === "stable" && target.arm === "stable" && reason === "closed-arm";
      }),
      { numRuns: 2_000 },
    );
  });

  it("names an arm and a target that belong together for every input", () => {
    const share = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(share, aUnit, aPin, aWish, (candidateBp, unit, pin, wish) => {
        const document = aDocument({ candidateBp: bp(candidateBp), allow: ["tester"] });
        const { arm, reason, target, hash } = route(compileRouteTable(document), unit, pin, wish);
        expect(target).toEqual({ ...document.arms[arm], arm });
        expect(hash === null).toBe(unit === null);
        if (pin === null && unit === null) expect([arm, reason]).toEqual(["stable", "no-unit"]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the weight's very edge", () => {
  it("RT-3, TP-1: a unit whose hash is the threshold itself comes with the next basis point", () => {
    const unit = "user-209557"; // Its hash at seed 7 is the threshold of 40.30 %.
    const armAt = (share: number) =>
      route(compileRouteTable(aDocument({ candidateBp: bp(share) })), unit, null, null).arm;
    expect([armAt(4_029), armAt(4_030), armAt(4_031)]).toEqual(["stable", "stable", "candidate"]);
  });
});

describe("compileRouteTable", () => {
  it("throws when no arm may serve", () => {
    expect(() => compileRouteTable(aDocument({ closed: ["stable", "candidate"] }))).toThrow("invariant");
  });

  it("makes the header values once", () => {
    const table = compileRouteTable(aDocument({ epoch: 3, seq: 7, candidateBp: bp(1_250) }));
    expect([table.headerDoc, table.headerSplit, table.unitHeaders]).toEqual(["3.7", "1250", ["x-user-id"]]);
  });
});

describe("requestedArmOf", () => {
  it("knows the two arms, in the pages' words too, and nothing else", () => {
    expect(["green", "canary", "blue", "control", "Green"].map(requestedArmOf)).toEqual([
      "candidate",
      "candidate",
      "stable",
      "stable",
      null,
    ]);
    expect(
      ["stable", "candidate", "Candidate", "", "stable, candidate", "__proto__", null].map(requestedArmOf),
    ).toEqual(["stable", "candidate", null, null, null, null, null]);
  });
});
