import { describe, expect, it } from "vitest";
import { aPlan, anArmWindow, T0 } from "../../../test/builders.ts";
import { type Bp, epochMs } from "../unit.ts";
import { EMPTY_ARM_WINDOW, type TelemetryWindow, WINDOW_LIMITS } from "../window/window.ts";
import type { Observations } from "./observations.ts";
import { observe, startObservations } from "./observe.ts";

const plan = aPlan();

/** A window in which the candidate failed with the given classes. */
function failing(seq: number, classes: Record<string, number>): TelemetryWindow {
  return {
    gatewayId: "gw",
    service: plan.service,
    seq,
    startMs: T0,
    endMs: epochMs(T0 + 250),
    document: { epoch: 1, seq: 1 },
    candidateBp: 1_000 as Bp,
    arms: { stable: EMPTY_ARM_WINDOW, candidate: anArmWindow({ classes }) },
    gatewayFailures: 0,
  };
}

const own = (): Observations => ({ ...startObservations(plan, []), sinceEpoch: 1 });

describe("the classes that a rollout met", () => {
  it("add up over windows, and a window that comes again counts once", () => {
    const first = failing(1, { "headers|5xx|500": 2 });
    const second = failing(2, { "headers|5xx|500": 1, "connect|network|ECONNREFUSED": 4 });
    const seen = [first, second, second].reduce((last, window) => observe(last, window, plan), own());
    expect(seen.totals.classes?.candidate).toEqual({ "headers|5xx|500": 3, "connect|network|ECONNREFUSED": 4 });
  });

  it("are as many as a window may have, however many a service invents, and their sum is kept", () => {
    const windows = Array.from({ length: 300 }, (_, index) =>
      failing(index + 1, { [`headers|other|code-${index}`]: 1 }),
    );
    const counts = windows.reduce((last, window) => observe(last, window, plan), own()).totals.classes?.candidate ?? {};
    expect(Object.keys(counts).length).toBeLessThanOrEqual(WINDOW_LIMITS.classes);
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(300);
    expect(counts["headers|other|other"]).toBeGreaterThan(200);
  });

  it("begin with nothing where an older version stored none", () => {
    const { totals, ...rest } = own();
    const { classes: _, ...older } = { classes: undefined, ...totals };
    const seen = observe({ ...rest, totals: older }, failing(1, { "headers|5xx|503": 1 }), plan);
    expect(seen.totals.classes).toEqual({ stable: {}, candidate: { "headers|5xx|503": 1 } });
  });
});
