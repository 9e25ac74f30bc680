import { describe, expect, it } from "vitest";
import { aBlock } from "../../../../test/builders.ts";
import { verdictOf } from "../../../../test/verdict-of.ts";
import type { Verdict } from "../../verdict.ts";
import { EMPTY_ARM_WINDOW } from "../../window/window.ts";
import { fiveXxBurst } from "./five-xx-burst.ts";
import type { Block } from "../block.ts";

const OPTIONS = { limit: 0.05, longestMs: 20_000 };

const judged = (blocks: readonly Block[]): Verdict => verdictOf(fiveXxBurst, OPTIONS, 10, blocks);

/** One second after another from the given one on: failed requests of so many. */
const seconds = (from: number, count: number, failures: number, requests = 100): readonly Block[] =>
  Array.from({ length: count }, (_, index) => {
    const classes = failures === 0 ? {} : { "headers|5xx|502": failures };
    return aBlock(10, { requests: 7 }, { requests, failures, classes }, from + index + 1);
  });

describe("five-xx-burst", () => {
  it("GQ-23: forgives a burst of exactly the longest length and stops one interval more", () => {
    expect(judged([...seconds(0, 20, 50), ...seconds(20, 5, 0)])).toMatchObject({
      kind: "pass",
      estimate: 20_000,
      threshold: 20_000,
      reason: "the longest burst of more than 5.00 % 5xx answers lasted 20 s (at most 20 s)",
      samples: { stable: 175, candidate: 2_500 },
    });
    expect(judged(seconds(0, 25, 50))).toMatchObject({ kind: "fail", estimate: 25_000 });
  });

  it("holds while one is going on and waits for its end, counted in whole intervals of 5 s", () => {
    expect(judged(seconds(0, 4, 50))).toMatchObject({ kind: "pass", estimate: 0 });
    expect(judged(seconds(0, 9, 50))).toMatchObject({ kind: "inconclusive", estimate: 5_000, needs: "its end" });
    expect(judged([...seconds(0, 10, 50), ...seconds(10, 5, 0)])).toMatchObject({ kind: "pass", estimate: 10_000 });
  });

  it("keeps the longest of several bursts", () => {
    const story = [...seconds(0, 15, 50), ...seconds(15, 5, 0), ...seconds(20, 5, 50), ...seconds(25, 5, 0)];
    expect(judged(story)).toMatchObject({ kind: "pass", estimate: 15_000 });
  });

  it("GQ-23: calls no interval bad that is exactly at the limit, and stops above it", () => {
    expect(judged(seconds(0, 60, 5))).toMatchObject({ kind: "pass", estimate: 0 });
    expect(judged(seconds(0, 60, 6)).kind).toBe("fail");
  });

  it("GQ-23: lets an interval of fewer than 5 requests neither begin, lengthen nor end a burst", () => {
    const dead = (from: number, count: number) =>
      seconds(from, count, 1, 1).map((block, index) =>
        index % 5 === 0 ? { ...block, arms: { ...block.arms, candidate: EMPTY_ARM_WINDOW } } : block,
      );
    expect(judged(dead(0, 60))).toMatchObject({ kind: "pass", estimate: 0 });
    expect(judged([...seconds(0, 10, 50), ...dead(10, 30)])).toMatchObject({ kind: "inconclusive", estimate: 10_000 });
    expect(judged([...seconds(0, 10, 50), ...dead(10, 10), ...seconds(20, 5, 50)])).toMatchObject({ estimate: 25_000 });
    expect(judged(seconds(0, 60, 1, 1)).kind).toBe("fail"); // Five requests in five seconds are enough.
  });

  it("is no data until the candidate has answered", () => {
    expect(judged([aBlock(10, { requests: 5 }, {})])).toMatchObject({
      kind: "no-data",
      needs: "requests that the candidate answers",
    });
  });
});
