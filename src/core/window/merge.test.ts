import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { after, T0 } from "../../../test/builders.ts";
import { aDocument } from "../../../test/documents.ts";
import { admitWindow } from "./admit-window.ts";
import { errorClassOf, errorClassOfStatus, isErrorClass, otherClassOf } from "./error-class.ts";
import { mergeArmWindows } from "./merge.ts";
import { createRecorder } from "./recorder.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW, type TelemetryWindow } from "./window.ts";

const aRequest = fc.record({
  latencyMs: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
  traffic: fc.constantFrom("warm", "cold", "probe"),
  errorClass: fc.constantFrom(null, null, null, "headers|5xx|500", "connect|network|ECONNREFUSED", "body|timeout|idle"),
});

function aWindow(
  requests: readonly { latencyMs: number; traffic: "warm" | "cold" | "probe"; errorClass: string | null }[],
) {
  const recorder = createRecorder({ gatewayId: "gw-1", document: aDocument(), startMs: T0 });
  for (const { latencyMs, traffic, errorClass } of requests) {
    recorder.record(recorder.placeOf("candidate"), null, traffic, latencyMs, errorClass, T0);
  }
  return recorder.cut(after(250));
}
const count = fc.integer({ min: 0, max: 1_000 });
const counters = fc.record({ toolLoops: count, cacheLookups: count, duplicateEffects: count }, { requiredKeys: [] });
const gauges = fc.record({ queueAgeP95Ms: fc.record({ sum: count, readings: count }) }, { requiredKeys: [] });
const anArm = fc.tuple(fc.array(aRequest, { maxLength: 40 }), counters, gauges).map(
  ([requests, counted, read]): ArmWindow => ({
    ...aWindow(requests).arms.candidate,
    counters: counted,
    gauges: read,
  }),
);

describe("mergeArmWindows", () => {
  it("is commutative and associative to the last byte of the text", () => {
    fc.assert(
      fc.property(anArm, anArm, anArm, (a, b, c) => {
        const text = JSON.stringify(mergeArmWindows(mergeArmWindows(a, b), c));
        expect(JSON.stringify(mergeArmWindows(a, mergeArmWindows(b, c)))).toBe(text);
        expect(JSON.stringify(mergeArmWindows(c, mergeArmWindows(b, a)))).toBe(text);
      }),
    );
  });

  it("equals one window of all requests", () => {
    const requests = fc.array(aRequest, { maxLength: 40 });
    fc.assert(
      fc.property(requests, requests, (a, b) => {
        const merged = mergeArmWindows(aWindow(a).arms.candidate, aWindow(b).arms.candidate);
        expect(merged).toEqual(aWindow([...a, ...b]).arms.candidate);
      }),
    );
  });

  it("takes the empty window for nothing", () => {
    fc.assert(fc.property(anArm, (arm) => void expect(mergeArmWindows(arm, EMPTY_ARM_WINDOW)).toEqual(arm)));
    const watched = { ...EMPTY_ARM_WINDOW, counters: { toolLoops: 0 } };
    expect(mergeArmWindows(watched, EMPTY_ARM_WINDOW).counters).toEqual({ toolLoops: 0 });
  });
});

describe("admitWindow", () => {
  const window = aWindow([
    { latencyMs: 100, traffic: "warm", errorClass: null },
    { latencyMs: 900, traffic: "cold", errorClass: null },
    { latencyMs: 5, traffic: "warm", errorClass: "headers|5xx|503" },
  ]);
  const refusedAt = (json: unknown): readonly string[] => {
    const admitted = admitWindow(json);
    return Array.isArray(admitted) ? admitted.map(({ path }) => path) : ["admitted"];
  };
  const withCandidate = (over: Record<string, unknown>): unknown => {
    const { stable, candidate } = window.arms;
    return { ...window, arms: { stable, candidate: { ...candidate, ...over } } };
  };

  it("takes what a recorder made, after a trip through JSON", () => {
    expect(admitWindow(JSON.parse(JSON.stringify(window)))).toEqual(window);
  });

  it.each<[string, Partial<Record<keyof TelemetryWindow, unknown>>]>([
    ["seq", { seq: -1 }],
    ["gatewayId", { gatewayId: "" }],
    ["service", { service: "a b" }],
    ["startMs", { startMs: Number.NaN }],
    ["endMs", { endMs: T0 - 1 }],
    ["candidateBp", { candidateBp: 10_001 }],
    ["document.epoch", { document: { epoch: "1", seq: 0 } }],
    ["document.extra", { document: { epoch: 1, seq: 0, extra: 1 } }],
    ["gatewayFailures", { gatewayFailures: 1e12 }],
    ["arms.candidate", { arms: { stable: EMPTY_ARM_WINDOW } }],
  ])("refuses a bad %s", (path, over) => {
    expect(refusedAt({ ...window, ...over })).toEqual([path]);
  });

  it.each<[string, Record<string, unknown>]>([
    ["requests", { requests: -1 }],
    ["requests", { requests: 1.5 }],
    ["requestsAll", { requestsAll: Number.POSITIVE_INFINITY }],
    ["probes", { probes: null }],
    ["failures", { requests: 0, warm: [], cold: [] }],
    ["warm", { warm: [10, 5] }],
    ["warm", { warm: [10, 2] }],
    ["classes", { classes: {} }],
    ["classes", { classes: { "headers|5xx|503": 2 } }],
    ["classes", { classes: { "no class": 1 } }],
    ["classes", { classes: JSON.parse('{"__proto__":1}') }],
    ["classes", { classes: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`body|5xx|${i}`, 1])) }],
    ["warm", { warm: [10] }],
    ["warm", { warm: "AAAA" }],
    ["warm[2]", { warm: [10, 1, 10, 1] }],
    ["warm[2]", { warm: [10, 1, 9, 1] }],
    ["warm[0]", { warm: [10, 0] }],
    ["warm[0]", { warm: [5_000, 1] }],
    ["warm[0]", { warm: [-1, 1] }],
    ["warm", { warm: Array(8_194).fill(1) }],
    ["delta", { delta: 1 }],
    ["counters", { counters: { cacheMisses: 1 } }],
    ["counters.toolLoops", { counters: { toolLoops: -1 } }],
    ["counters.cacheHits", { counters: { cacheHits: 2, cacheLookups: 1 } }],
    ["counters.suppressedDeliveries", { counters: { suppressedDeliveries: 1 } }],
    ["gauges", { gauges: { queueAge: { sum: 1, readings: 1 } } }],
    ["gauges.queueAgeP95Ms.sum", { gauges: { queueAgeP95Ms: { sum: Number.NaN, readings: 1 } } }],
    ["gauges.queueAgeP95Ms.readings", { gauges: { queueAgeP95Ms: { sum: 1, readings: 0 } } }],
  ])("refuses an arm with a bad %s: %j", (key, over) => {
    expect(refusedAt(withCandidate(over))).toContain(`arms.candidate.${key}`);
  });

  it("answers any JSON with a value, never with a throw", () => {
    fc.assert(fc.property(fc.jsonValue(), (json) => refusedAt(json).length > 0));
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(EMPTY_ARM_WINDOW)), fc.jsonValue(), (key, value) => {
        return refusedAt(withCandidate({ [key]: value })).length > 0;
      }),
    );
  });
});

describe("error classes", () => {
  it("name stage, family and code", () => {
    expect(errorClassOf("body", "network", "ECONNRESET")).toBe("body|network|ECONNRESET");
    expect(errorClassOfStatus(503)).toBe("headers|5xx|503");
    expect([200, 304, 404, 429, 499, 600].map(errorClassOfStatus)).toEqual([null, null, null, null, null, null]);
  });

  it("take a code that is no short word for `other`, so that classes stay few", () => {
    for (const code of ["", "a b", "x".repeat(49), "a|b", "ä"]) {
      expect(errorClassOf("tool", "timeout", code)).toBe("tool|timeout|other");
    }
    expect(otherClassOf("tls|network|CERT_HAS_EXPIRED")).toBe("tls|other|other");
  });

  it("have one form, which no word of JavaScript has", () => {
    expect(isErrorClass("headers|5xx|503")).toBe(true);
    for (const text of ["__proto__", "constructor", "headers|5xx", "headers|5xx|503|x", "cpu|5xx|1", ""]) {
      expect(isErrorClass(text)).toBe(false);
    }
  });
});
