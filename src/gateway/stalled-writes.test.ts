import { describe, expect, it } from "vitest";
import { FairSlots } from "./fair-slots.ts";
import { type Behind, StalledWrites } from "./stalled-writes.ts";

/** Cuts `count` answers that all stand since 0, and says how many went at each time. */
function cutAt(count: number, behind: Behind | null, timesMs: readonly number[]): number[] {
  const stalls = new StalledWrites();
  for (let at = 0; at < count; at++) stalls.begin({ behind, cutStalled: () => {} }, 0);
  return timesMs.map((nowMs) => stalls.cut(nowMs, 60_000));
}

describe("StalledWrites", () => {
  it("cuts after the time given, and after 5 s as many as poorer clients wait for", () => {
    expect(cutAt(20, { poorer: 0, own: 0 }, [59_999, 60_000])).toEqual([0, 20]);
    expect(cutAt(20, null, [59_999, 60_000])).toEqual([0, 20]);
    expect(cutAt(20, { poorer: 15, own: 0 }, [4_999, 5_000])).toEqual([0, 15]);
  });

  it("makes room for the very client that does not read for 16 at a time", () => {
    expect(cutAt(20, { poorer: 0, own: 500 }, [5_000, 5_500, 6_000])).toEqual([16, 4, 0]);
    expect(cutAt(20, { poorer: 0, own: 3 }, [5_000])).toEqual([3]);
    expect(cutAt(20, { poorer: 2, own: 500 }, [5_000])).toEqual([18]);
  });

  it("leaves a client that holds less than those who wait", () => {
    const slots = new FairSlots(12, 100);
    const taker = { waitsSinceMs: 0, run: () => {}, giveUp: () => {} };
    const taken = (client: string, count: number) =>
      Array.from({ length: count }, () => slots.take(taker, client)).filter((place) => place === "run").length;
    expect([taken("greedy", 40), taken("modest", 1)]).toEqual([8, 1]);
    expect(slots.behind("modest")).toEqual({ poorer: 0, own: 0 });
    expect(slots.behind("greedy")).toEqual({ poorer: 0, own: 32 });
    expect(taken("third", 40)).toBe(2);
    expect(slots.behind("greedy")).toEqual({ poorer: 38, own: 32 });
  });
});
