import { describe, expect, it } from "vitest";
import { aBlock } from "../../../../test/builders.ts";
import { stateOf, verdictOf } from "../../../../test/verdict-of.ts";
import { epochMs } from "../../unit.ts";
import type { Verdict } from "../../verdict.ts";
import type { Block } from "../block.ts";
import { peakHour } from "./peak-hour.ts";

const OPTIONS = { requestsPerSecond: 10, lengthMs: 3 * 60_000 };

const fold = (blocks: readonly Block[]) => stateOf(peakHour, OPTIONS, blocks);
const judged = (...blocks: readonly Block[]): Verdict => verdictOf(peakHour, OPTIONS, 50, blocks);

/** A window that ends at a second of a minute, with requests of both arms. */
const window = (minute: number, second: number, stable: number, candidate: number): Block => ({
  ...aBlock(50, { requests: stable }, { requests: candidate }),
  endMs: epochMs((minute * 60 + second) * 1_000),
});
const minute = (number: number, requests: number) => window(number, 30, requests / 2, requests / 2);

describe("peak-hour", () => {
  it("ST-8: takes the rate of both arms over whole minutes, once the last of them is over", () => {
    const three = [minute(100, 500), minute(101, 600), minute(102, 700)];
    expect(judged(...three)).toMatchObject({ kind: "inconclusive", estimate: 0 });
    expect(judged(...three, minute(103, 2))).toMatchObject({
      kind: "pass",
      estimate: 10,
      threshold: 10,
      samples: { stable: 901, candidate: 901 },
      reason: "the busiest 3 minutes with the candidate had 10.0 requests a second",
    });
  });

  it("adds the windows of one minute up, late ones and those of other gateways included", () => {
    const story = [window(100, 10, 300, 300), window(101, 10, 300, 200), window(101, 20, 50, 50)];
    const late = window(100, 59, 60, 0);
    expect(judged(...story, late, minute(102, 600), minute(103, 2)).estimate).toBeCloseTo(1_860 / 180, 9);
  });

  it("forgets a window about minutes that are no longer kept", () => {
    const story = [minute(100, 600), minute(101, 600), minute(102, 600), minute(103, 600), minute(104, 600)];
    const minutes = [101, 102, 103, 104].map((number) => ({ minute: number, requests: 600 }));
    expect(fold(story)).toMatchObject({ minutes });
    expect(fold([...story, minute(100, 9_000)])).toMatchObject({ minutes });
  });

  it("gives the last instant of a minute to that minute", () => {
    const minutes = [
      { minute: 100, requests: 2 },
      { minute: 101, requests: 2 },
    ];
    expect(fold([window(100, 60, 1, 1), window(100, 61, 1, 1)])).toMatchObject({ minutes });
  });

  it("counts a minute without requests as nothing, and does not begin before the candidate's first request", () => {
    const gap = [minute(100, 900), minute(102, 900), minute(103, 2)];
    expect(judged(...gap).estimate).toBe(10);
    expect(judged(minute(100, 800), minute(102, 800), minute(103, 2)).kind).toBe("inconclusive");
    const alone = [100, 101, 102].map((number) => window(number, 30, 6_000, 0));
    expect(judged(...alone, minute(103, 2))).toMatchObject({ estimate: 0, samples: { stable: 18_001, candidate: 1 } });
  });

  it("keeps the busiest stretch, and no more minutes than one stretch and the running one", () => {
    const busy = Array.from({ length: 4 }, (_, index) => minute(100 + index, 720));
    const calm = Array.from({ length: 50 }, (_, index) => minute(104 + index, 60));
    const state = fold([...busy, ...calm]);
    const kept = [150, 151, 152, 153].map((number) => expect.objectContaining({ minute: number }));
    expect(state).toMatchObject({ minutes: kept, busiest: 12 });
    expect(judged(...calm).estimate).toBe(1);
  });

  it("does not take a stretch for whole whose first minute was silent", () => {
    expect(judged(minute(101, 3_000), minute(102, 3_000), minute(103, 2)).kind).toBe("inconclusive");
  });
});
