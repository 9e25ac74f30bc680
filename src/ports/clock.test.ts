import { describe, expect, it } from "vitest";
import { systemClock as fenceClock } from "../fence/system.ts";
import { systemClock } from "../host/system-clock.ts";
import { manualClock } from "../testing/manual-clock.ts";

describe("a clock's timeout", () => {
  it("aborts with a TimeoutError when its time has come, and not before", async () => {
    const clock = manualClock();
    const signal = clock.timeout(500);
    await clock.advance(499);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    expect(signal.reason).toMatchObject({ name: "TimeoutError" });
  });

  it.each([
    ["a manual clock", manualClock()],
    ["the host's clock", systemClock()],
    ["the fence's clock", fenceClock],
  ])("aborts at once with the caller's own reason: %s", (_, clock) => {
    const caller = new AbortController();
    const signal = clock.timeout(60_000, caller.signal);
    expect(signal.aborted).toBe(false);
    caller.abort("no longer wanted");
    expect([signal.aborted, signal.reason]).toEqual([true, "no longer wanted"]);
    expect(clock.timeout(60_000, caller.signal).reason).toBe("no longer wanted");
  });
});
