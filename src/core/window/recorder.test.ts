import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { after, T0 } from "../../../test/builders.ts";
import { aDocument } from "../../../test/documents.ts";
import type { RoutingDocument } from "../routing/document.ts";
import { compileRouteTable, type Route, route } from "../routing/route.ts";
import { bp } from "../unit.ts";
import { admitWindow } from "./admit-window.ts";
import { createRecorder } from "./recorder.ts";
import { countBins } from "./sketch.ts";
import { EMPTY_ARM_WINDOW } from "./window.ts";

const aRecorder = (document: RoutingDocument = aDocument()) =>
  createRecorder({ gatewayId: "gw-1", document, startMs: T0 });
const routed = (unit: string | null, document: RoutingDocument = aDocument()): Route =>
  route(compileRouteTable(document), unit, null, null);
const half = aDocument({ candidateBp: bp(5_000) });

/** The first `count` units on an arm at 50 %. */
function unitsOn(arm: "stable" | "candidate", count: number): readonly string[] {
  const units: string[] = [];
  for (let i = 0; units.length < count; i++) if (routed(`user-${i}`, half).arm === arm) units.push(`user-${i}`);
  return units;
}

describe("record", () => {
  it("counts warm, cold, failed, cancelled and probe requests apart", () => {
    const recorder = aRecorder();
    const slot = recorder.placeOf("candidate");
    recorder.record(slot, 1, "warm", 100, null, T0);
    recorder.record(slot, 2, "cold", 2_000, null, T0);
    recorder.record(slot, 3, "warm", 90, "headers|5xx|503", T0);
    recorder.record(slot, 4, "warm", null, null, T0);
    recorder.record(slot, null, "probe", 50, "headers|5xx|500", T0);
    const { candidate, stable } = recorder.cut(after(250)).arms;
    expect(candidate).toMatchObject({
      requests: 4,
      failures: 1,
      requestsAll: 4,
      failuresAll: 1,
      probes: 1,
      newUnits: 0,
    });
    expect(candidate.classes).toEqual({ "headers|5xx|503": 1 });
    expect([countBins(candidate.warm), countBins(candidate.cold)]).toEqual([1, 1]);
    expect(stable).toEqual(EMPTY_ARM_WINDOW);
  });

  it("counts at most 20 requests of a unit a minute as evidence, and all of them in the All counts", () => {
    const recorder = aRecorder();
    const slot = recorder.placeOf("stable");
    for (let i = 0; i < 500; i++) recorder.record(slot, 7, "warm", 10, i < 30 ? "body|network|ECONNRESET" : null, T0);
    recorder.record(slot, 0xffffffff, "warm", 10, null, T0);
    expect(recorder.cut(after(1)).arms.stable).toMatchObject({
      requests: 21,
      failures: 20,
      requestsAll: 501,
      failuresAll: 30,
    });
    recorder.record(slot, 7, "warm", 10, null, after(59_999));
    expect(recorder.cut(after(59_999)).arms.stable.requests).toBe(0);
    recorder.record(slot, 7, "warm", 10, null, after(60_000));
    expect(recorder.cut(after(60_000)).arms.stable.requests).toBe(1);
  });

  it("starts a new minute when the clock was set back by more than one, and not for a late request", () => {
    const recorder = aRecorder();
    const slot = recorder.placeOf("stable");
    const spend = (atMs: number) => {
      for (let i = 0; i < 40; i++) recorder.record(slot, 7, "warm", 10, null, atMs);
      return recorder.cut(after(0)).arms.stable.requests;
    };
    expect([spend(after(0)), spend(after(-1_000)), spend(after(-3_600_000)), spend(after(-3_600_000))]).toEqual([
      20, 0, 20, 0,
    ]);
  });

  it("does not cap requests without a unit", () => {
    const recorder = aRecorder();
    for (let i = 0; i < 50; i++) recorder.record(recorder.placeOf("stable"), null, "warm", 10, null, T0);
    expect(recorder.cut(T0).arms.stable.requests).toBe(50);
  });

  it("keeps at most 64 classes, and their counts still sum to the failures", () => {
    const recorder = aRecorder();
    const slot = recorder.placeOf("candidate");
    const stages = ["connect", "tls", "headers", "body", "tool"];
    for (let i = 0; i < 300; i++) recorder.record(slot, null, "warm", 1, `${stages[i % 5]}|5xx|c${i}`, T0);
    const window = recorder.cut(T0);
    const { classes, failures } = window.arms.candidate;
    expect(Object.keys(classes)).toHaveLength(64);
    expect(Object.values(classes).reduce((sum, count) => sum + count, 0)).toBe(failures);
    expect(failures).toBe(300);
    expect(admitWindow(JSON.parse(JSON.stringify(window)))).toEqual(window);
  });
});

describe("arrive", () => {
  it("counts each drawn unit once in an epoch, on the arm it was drawn to", () => {
    const recorder = aRecorder(half);
    for (let round = 0; round < 3; round++) {
      for (const unit of [...unitsOn("stable", 6), ...unitsOn("candidate", 4)]) recorder.arrive(routed(unit, half));
    }
    const first = recorder.cut(after(1)).arms;
    expect([first.stable.newUnits, first.candidate.newUnits]).toEqual([6, 4]);
    for (const unit of unitsOn("stable", 7)) recorder.arrive(routed(unit, half));
    expect(recorder.cut(after(2)).arms.stable.newUnits).toBe(1);
  });

  it("leaves out units that were not drawn: pinned, allow-listed, unknown", () => {
    const document = aDocument({ allow: ["tester"] });
    const recorder = aRecorder(document);
    const table = compileRouteTable(document);
    recorder.arrive(route(table, "tester", null, null));
    recorder.arrive(route(table, "user-1", { arm: "candidate", purpose: "qa" }, null));
    recorder.arrive(route(table, null, null, null));
    const { stable, candidate } = recorder.cut(after(1)).arms;
    expect([stable.newUnits, candidate.newUnits]).toEqual([0, 0]);
  });

  it("finds the share of new units that the document orders, within sampling error", () => {
    const recorder = aRecorder();
    for (let i = 0; i < 20_000; i++) recorder.arrive(routed(`user-${i}`));
    const { stable, candidate } = recorder.cut(after(1)).arms;
    const share = candidate.newUnits / (stable.newUnits + candidate.newUnits);
    expect(Math.abs(share - 0.1)).toBeLessThan(0.0085); // Four standard deviations.
    expect(stable.newUnits + candidate.newUnits).toBeGreaterThan(19_500); // About 1 % share a slot.
  });
});

describe("cut", () => {
  it("begins the next window at zero in every count", () => {
    const recorder = aRecorder();
    const slot = recorder.placeOf("stable");
    recorder.record(slot, 1, "warm", 10, "headers|5xx|500", T0);
    recorder.record(slot, 1, "cold", 10, null, T0);
    recorder.record(slot, 1, "probe", 10, null, T0);
    recorder.countGatewayFailure();
    recorder.cut(after(1));
    const next = recorder.cut(after(2));
    expect([next.arms.stable, next.gatewayFailures]).toEqual([EMPTY_ARM_WINDOW, 0]);
  });

  it("numbers windows from 0 without a gap, each beginning where the last one ended", () => {
    const recorder = aRecorder();
    const windows = [250, 500, 750].map((ms) => recorder.cut(after(ms)));
    expect(windows.map(({ seq, startMs, endMs }) => [seq, startMs - T0, endMs - T0])).toEqual([
      [0, 0, 250],
      [1, 250, 500],
      [2, 500, 750],
    ]);
  });

  it("never ends a window before its start when the clock was set back", () => {
    const recorder = aRecorder();
    expect(recorder.cut(after(-5_000))).toMatchObject({ startMs: T0, endMs: T0 });
    expect(recorder.cut(after(-4_000))).toMatchObject({ startMs: T0 - 5_000, endMs: T0 - 4_000 });
  });

  it("makes windows that admitWindow takes, whatever was recorded", () => {
    const request = fc.record({
      hash: fc.option(fc.integer({ min: 0, max: 0xffffffff }), { nil: null }),
      traffic: fc.constantFrom("warm", "cold", "probe"),
      latencyMs: fc.option(fc.double({ min: -1, max: 1e8 }), { nil: null }),
      errorClass: fc.constantFrom(null, null, "headers|5xx|500", "body|network|ECONNRESET"),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 80 }), (requests) => {
        const recorder = aRecorder();
        for (const { hash, traffic, latencyMs, errorClass } of requests) {
          recorder.record(recorder.placeOf("stable"), hash, traffic, latencyMs, errorClass, T0);
        }
        recorder.countGatewayFailure();
        const window = recorder.cut(after(250));
        expect(window.gatewayFailures).toBe(1);
        expect(admitWindow(JSON.parse(JSON.stringify(window)))).toEqual(window);
      }),
    );
  });
});

describe("adopt", () => {
  const promoted = aDocument({
    epoch: 2,
    arms: { stable: aDocument().arms.candidate ?? aDocument().arms.stable, candidate: aDocument().arms.stable },
    candidateBp: bp(0),
  });

  it("closes the window under the old document and names the new one afterwards", () => {
    const recorder = aRecorder();
    recorder.record(recorder.placeOf("stable"), 1, "warm", 10, null, T0);
    const closed = recorder.adopt(aDocument({ seq: 1, candidateBp: bp(5_000) }), after(100));
    expect(closed).toMatchObject({ seq: 0, document: { epoch: 1, seq: 0 }, candidateBp: 1_000 });
    expect(closed.arms.stable.requests).toBe(1);
    const next = recorder.cut(after(250));
    expect(next).toMatchObject({ seq: 1, startMs: after(100), document: { epoch: 1, seq: 1 }, candidateBp: 5_000 });
    expect(next.arms.stable).toEqual(EMPTY_ARM_WINDOW);
  });

  it("counts a late request for the release that answered it, across a change of share and a promotion", () => {
    const recorder = aRecorder();
    const late = recorder.placeOf("candidate");
    recorder.adopt(aDocument({ seq: 1 }), after(1));
    recorder.record(late, 1, "warm", 10, null, after(2));
    expect(recorder.adopt(promoted, after(3)).arms.candidate.requests).toBe(1);
    recorder.record(late, 1, "warm", 10, null, after(4));
    const { stable, candidate } = recorder.cut(after(5)).arms;
    expect([stable.requests, candidate.requests]).toEqual([1, 0]);
  });

  it("counts nothing for a release that is in the document no longer", () => {
    const recorder = aRecorder();
    const late = recorder.placeOf("candidate");
    const next = { releaseId: "r-next", endpoints: ["http://127.0.0.1:4003"], cachePrefix: "c3:" };
    recorder.adopt(aDocument({ epoch: 2, arms: { stable: aDocument().arms.stable, candidate: next } }), after(1));
    recorder.record(late, 1, "warm", 10, "headers|5xx|500", after(2));
    expect(recorder.cut(after(3)).arms.candidate).toEqual(EMPTY_ARM_WINDOW);
  });

  it("keeps arms apart when both serve the same release", () => {
    const same = aDocument({ arms: { stable: aDocument().arms.stable, candidate: aDocument().arms.stable } });
    const recorder = aRecorder(same);
    recorder.adopt({ ...same, seq: 1 }, after(1));
    recorder.record(recorder.placeOf("candidate"), 1, "warm", 10, null, after(2));
    const { stable, candidate } = recorder.cut(after(3)).arms;
    expect([stable.requests, candidate.requests]).toEqual([0, 1]);
  });

  it("gives the candidate a slot of its own when it begins to serve stable's release", () => {
    const recorder = aRecorder();
    const { stable } = aDocument().arms;
    recorder.adopt(aDocument({ seq: 1, arms: { stable, candidate: { ...stable, cachePrefix: "d4:" } } }), after(1));
    recorder.record(recorder.placeOf("candidate"), 1, "warm", 10, null, after(2));
    const window = recorder.cut(after(3)).arms;
    expect([window.stable.requests, window.candidate.requests]).toEqual([0, 1]);
  });

  it("gives every unit a new budget in a new epoch, whose hashes are other ones", () => {
    const recorder = aRecorder();
    const spend = () => {
      for (let i = 0; i < 30; i++) recorder.record(recorder.placeOf("stable"), 7, "warm", 10, null, T0);
      return recorder.cut(T0).arms.stable.requests;
    };
    const first = spend();
    recorder.adopt(aDocument({ seq: 1 }), T0);
    const sameEpoch = spend();
    recorder.adopt(aDocument({ epoch: 2 }), T0);
    expect([first, sameEpoch, spend()]).toEqual([20, 0, 20]);
  });

  it("sees units as new again in a new epoch, and not under a new seq", () => {
    const recorder = aRecorder();
    const seen = (document: RoutingDocument) => {
      recorder.adopt(document, after(1));
      recorder.arrive(routed("user-1", document));
      const { stable, candidate } = recorder.cut(after(1)).arms;
      return stable.newUnits + candidate.newUnits;
    };
    expect([seen(aDocument()), seen(aDocument({ seq: 1 })), seen(aDocument({ epoch: 2 }))]).toEqual([1, 0, 1]);
  });

  it("throws on the document of another service", () => {
    expect(() => aRecorder().adopt(aDocument({ service: "billing" }), T0)).toThrow("invariant");
  });
});
