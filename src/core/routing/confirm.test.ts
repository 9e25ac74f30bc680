import { describe, expect, it } from "vitest";
import { aDocument } from "../../../test/documents.ts";
import { confirm, type PlaneWord } from "./confirm.ts";
import { NO_TERMS } from "./document.ts";

const leased = aDocument({ ...NO_TERMS, version: 2, epoch: 4, seq: 1, lease: { ms: 15_000 } });
const THIS = { epoch: 4, seq: 1 };
const word = (over: Partial<PlaneWord> = {}): PlaneWord => ({
  gatewayId: "g1",
  adopted: THIS,
  digest: "d",
  override: null,
  refused: null,
  isLive: true,
  silentMs: 100,
  leaseLeftMs: 14_000,
  ...over,
});
const silent = (over: Partial<PlaneWord> = {}) =>
  word({ adopted: { epoch: 3, seq: 2 }, isLive: false, silentMs: 20_000, leaseLeftMs: 0, ...over });

describe("confirm", () => {
  it.each([
    ["exactly this document", word(), "served"],
    ["the same number with other content", word({ digest: "e" }), "waiting"],
    ["a newer one", word({ adopted: { epoch: 40, seq: 1 } }), "waiting"],
    ["an older one", word({ adopted: { epoch: 3, seq: 9 } }), "waiting"],
    ["numbers alone, as version 1 does", word({ digest: null, leaseLeftMs: Number.POSITIVE_INFINITY }), "served"],
  ])("forward: a live gateway that routes by %s is %s", (_, one, standing) => {
    const { isConfirmed, planes } = confirm(leased, "d", [one], "forward");
    expect([planes[0]?.standing, isConfirmed]).toEqual([standing, standing === "served"]);
  });

  it.each([
    ["whose lease is over serves stable by itself and does not block", {}, "gone-stable", true],
    ["whose lease still runs blocks", { leaseLeftMs: 1 }, "waiting", false],
    ["that knows no lease blocks", { leaseLeftMs: Number.POSITIVE_INFINITY }, "waiting", false],
  ])("forward: a silent gateway %s", (_, over, standing, isConfirmed) => {
    const found = confirm(leased, "d", [word(), silent({ gatewayId: "g2", ...over })], "forward");
    expect([found.planes[1]?.standing, found.isConfirmed]).toEqual([standing, isConfirmed]);
  });

  it.each([
    ["whose lease is over", silent(), true],
    ["whose lease still runs", silent({ leaseLeftMs: 3_000 }), false],
    [
      "that was not heard of since the controller started, within its lease",
      silent({ silentMs: null, leaseLeftMs: 9 }),
      false,
    ],
    ["that knows no lease", silent({ leaseLeftMs: Number.POSITIVE_INFINITY }), false],
    ["that a person set to stable", word({ override: "stable", adopted: { epoch: 3, seq: 2 } }), true],
    ["that is newer and lives, within its lease", word({ adopted: { epoch: 40, seq: 1 } }), false],
  ])("back: a gateway %s: confirmed is %s", (_, one, isConfirmed) => {
    expect(confirm(leased, "d", [one], "back").isConfirmed).toBe(isConfirmed);
  });

  it("back: no lease's end proves anything where the candidate had users without one", () => {
    const unleased = { ...leased, lease: null };
    expect(confirm(unleased, "d", [silent()], "back").isConfirmed).toBe(false);
    expect(confirm(unleased, "d", [word()], "back").isConfirmed).toBe(true);
  });

  it("back: without a lease a person's override is no way back while the document behind it is another one", () => {
    const unleased = { ...leased, lease: null };
    const back = (over: Partial<PlaneWord>) => confirm(unleased, "d", [word({ override: "stable", ...over })], "back");
    expect(back({ adopted: { epoch: 3, seq: 2 } }).isConfirmed).toBe(false);
    expect(back({ digest: "e" }).isConfirmed).toBe(false);
    expect(back({}).isConfirmed).toBe(true);
  });

  it("forward: an override is not served, and nobody at all is not served", () => {
    expect(confirm(leased, "d", [word({ override: "stable" })], "forward").isConfirmed).toBe(false);
    expect(confirm(leased, "d", [], "forward").isConfirmed).toBe(false);
    expect(confirm(leased, "d", [], "back").isConfirmed).toBe(false);
    expect(confirm(leased, "d", [silent()], "forward").isConfirmed).toBe(false);
  });

  it("says of each gateway what it said last, why, and until when it may serve the candidate", () => {
    const refused = { ...THIS, reason: "arms.candidate.releaseId: found a space" };
    const one = word({ adopted: { epoch: 3, seq: 2 }, refused, silentMs: 1_200, leaseLeftMs: 13_800 });
    const [plane] = confirm(leased, "d", [one], "back").planes;
    expect(plane).toMatchObject({ isRefused: true, candidateLeftMs: 13_800 });
    expect(plane?.text).toBe(
      "routes by 3.2, last heard 1.2 s ago, did not take 4.1: arms.candidate.releaseId: found a space; may serve the candidate for 13.8 s more at most",
    );
  });
});
