import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ArmNames } from "./arm-names.ts";
import { EventReader } from "./event-reader.ts";
import { type ClosedSecond, SecondFolder } from "./second-folder.ts";

const T0 = 1_756_353_600_000;

/** Folds events at these times; returns the closed seconds as [second, requests] and the times that came late. */
function folded(timesMs: readonly number[]) {
  const closed: ClosedSecond[] = [];
  const late: number[] = [];
  const folder = new SecondFolder((second) => closed.push(second));
  const reader = new EventReader(new ArmNames());
  for (const ms of timesMs) {
    expect(reader.read({ ts: T0 + ms, arm: "stable", status: 200 })).toBeNull();
    const second = folder.secondOf(T0 + ms);
    if (second === null) late.push(ms);
    else second.armOf("stable").count(reader);
  }
  const before = closed.length;
  folder.finish();
  const seconds = closed.map(({ startMs, arms }) => [(startMs - T0) / 1_000, arms.stable.requests]);
  return { seconds, late, closedBeforeEnd: before };
}

describe("SecondFolder", () => {
  it("keeps a second open until an event more than 5 s newer than its end arrives", () => {
    expect(folded([0, 6_000, 999]).late).toEqual([]);
    expect(folded([0, 6_001, 999]).late).toEqual([999]);
    expect(folded([0, 6_001, 1_000]).late).toEqual([]);
    expect(folded([0, 6_000, 6_000, 999]).late).toEqual([]);
    expect(folded([0, 6_000, 6_001, 999]).late).toEqual([999]);
  });

  it("closes seconds in order and leaves out silent ones, also across a day of silence", () => {
    const day = 86_400_000;
    expect(folded([0, 500, 3_200, day, day + 1]).seconds).toEqual([
      [0, 2],
      [3, 1],
      [86_400, 2],
    ]);
    expect(folded([0, 500, 3_200, day]).closedBeforeEnd).toBe(2);
  });

  it("takes events up to 5 s older than the very first one", () => {
    expect(folded([10_000, 5_000, 5_999]).late).toEqual([]);
    expect(folded([10_000, 3_999]).late).toEqual([3_999]);
  });

  it("loses nothing: every event is in a closed second or late, in any order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 60 }), (times) => {
        const { seconds, late } = folded(times);
        const counted = seconds.reduce((sum, [, requests]) => sum + (requests ?? 0), 0);
        expect(counted + late.length).toBe(times.length);
        const numbers = seconds.map(([second]) => second);
        expect(numbers).toEqual([...numbers].sort((a, b) => Number(a) - Number(b)));
        expect(new Set(numbers).size).toBe(numbers.length);
      }),
    );
  });
});
