import { describe, expect, it } from "vitest";
import { aBlock } from "../../../../test/builders.ts";
import { type OptionsOfGate, verdictOf } from "../../../../test/verdict-of.ts";
import type { Verdict } from "../../verdict.ts";
import { errorRate } from "./error-rate.ts";
import type { Block } from "../block.ts";

type ErrorRateOptions = OptionsOfGate<typeof errorRate>;
const SEQUENTIAL: ErrorRateOptions = {
  mode: "sequential",
  alpha: 0.001,
  beta: 0.05,
  margin: { under10: 0.02, under50: 0.01, from50: 0.005 },
  minSamples: 100,
};
const LITERAL: ErrorRateOptions = { ...SEQUENTIAL, mode: "literal" };

const judged = (options: ErrorRateOptions, percent: number, ...blocks: readonly Block[]): Verdict =>
  verdictOf(errorRate, options, percent, blocks);

/** Failures of requests on either arm, as one window. */
const counted = (percent: number, stable: readonly [number, number], candidate: readonly [number, number]) =>
  aBlock(percent, { failures: stable[0], requests: stable[1] }, { failures: candidate[0], requests: candidate[1] });

describe("error-rate, literal", () => {
  it("compares the difference at this share with the margin, once both arms have their least samples", () => {
    const found = judged(LITERAL, 10, counted(10, [1, 100], [2, 100]));
    expect(found).toMatchObject({ kind: "pass", threshold: 0.01, alpha: null, needs: null });
    expect(found.estimate).toBeCloseTo(0.01, 12);
    expect(found.reason).toBe("errors 2.00 % against 1.00 % on stable: within +1.00 %");
    const over = judged(LITERAL, 10, counted(10, [1, 100], [3, 100]));
    expect(over).toMatchObject({ kind: "fail", reason: "errors 3.00 % against 1.00 % on stable: over +1.00 %" });
  });

  it("takes the margin of the share in force", () => {
    const two = (percent: number) => judged(LITERAL, percent, counted(percent, [0, 200], [3, 200])).kind;
    expect([two(5), two(10), two(50)]).toEqual(["pass", "fail", "fail"]);
  });

  it("neither passes nor fails on fewer requests of either arm, and says how many are missing", () => {
    const scarce = [counted(10, [0, 99], [99, 500]), counted(10, [0, 500], [99, 99])];
    for (const block of scarce) {
      const verdict = judged(LITERAL, 10, block);
      expect(verdict).toMatchObject({ kind: "inconclusive", needs: "1 more requests of each arm" });
    }
    expect(judged(LITERAL, 10, counted(10, [0, 100], [100, 100])).kind).toBe("fail");
  });

  it("is no data before the candidate has answered at this share", () => {
    expect(judged(LITERAL, 10)).toMatchObject({
      kind: "no-data",
      threshold: 0.02,
      needs: "requests that the candidate answers",
    });
    expect(judged(LITERAL, 10, counted(10, [0, 100], [0, 0])).kind).toBe("no-data");
  });

  it("is blind to what a test would see: it stops nothing that stays within the margin, however sure", () => {
    expect(judged(LITERAL, 5, counted(5, [0, 1e6], [15_000, 1e6])).kind).toBe("pass");
    expect(judged(SEQUENTIAL, 5, counted(5, [0, 1e6], [15_000, 1e6])).kind).toBe("fail");
  });
});

describe("error-rate, sequential", () => {
  it("states the difference, a 95 % interval that holds it, and samples of both arms", () => {
    const verdict = judged(SEQUENTIAL, 10, counted(10, [10, 1_000], [4, 200]));
    expect(verdict).toMatchObject({ samples: { stable: 1_000, candidate: 200 }, threshold: 0.01, alpha: 0.001 });
    expect(verdict.estimate).toBeCloseTo(0.01, 12);
    // Wilson at z = 2.2414: 4 of 200 is 0.69 %..5.66 %, 10 of 1000 is 0.50 %..1.99 %.
    expect(verdict.interval?.[0]).toBeCloseTo(-0.013009, 6);
    expect(verdict.interval?.[1]).toBeCloseTo(0.051633, 6);
    expect(judged(SEQUENTIAL, 100, counted(100, [0, 0], [4, 200])).interval).toBeNull();
  });

  it("turns the evidence into an e-value that stays finite", () => {
    const dead = judged(SEQUENTIAL, 10, ...Array(50).fill(counted(10, [0, 900], [100, 100])));
    expect(dead.kind).toBe("fail");
    expect(dead.eValue).toBe(Math.exp(700));
    const calm = judged(SEQUENTIAL, 10, counted(10, [0, 90], [0, 10]));
    expect(calm.eValue).toBeGreaterThan(0);
    expect(calm.eValue).toBeLessThanOrEqual(1.01);
  });

  it("does not pass on too few requests of its own, nor with an estimate beyond the margin", () => {
    const many = { ...SEQUENTIAL, minSamples: 3_001 };
    const healthy = Array<Block>(100).fill(counted(10, [0, 270], [0, 30]));
    expect(judged(SEQUENTIAL, 10, ...healthy).kind).toBe("pass");
    expect(judged(many, 10, ...healthy)).toMatchObject({ kind: "inconclusive" });
    expect(judged({ ...SEQUENTIAL, minSamples: 3_000 }, 10, ...healthy).kind).toBe("pass");
    // Long proven at 10 %, then a bad beginning at the next share: evidence allows it, the share's own numbers do not.
    const worse = judged(SEQUENTIAL, 20, ...healthy, counted(20, [0, 800], [5, 200]));
    expect(worse).toMatchObject({ kind: "inconclusive", samples: { candidate: 200 }, estimate: 0.025 });
  });

  it("needs nothing but a lower rate where stable itself fails too often to exclude anything", () => {
    const bad = judged(SEQUENTIAL, 10, ...Array(200).fill(counted(10, [0, 90], [1, 10])));
    expect(bad.kind).toBe("fail");
    const both = judged(SEQUENTIAL, 10, counted(10, [450, 900], [52, 100]));
    expect(both.kind).toBe("inconclusive");
    expect(both.reason).toContain("no harm is excluded yet, +1.00 % is wanted");
  });

  it("after 100 % compares with what stable left behind, and says so", () => {
    const before = Array<Block>(50).fill(counted(50, [1, 100], [1, 100]));
    const leak = Array<Block>(200).fill(counted(100, [0, 0], [6, 100]));
    const calm = Array<Block>(200).fill(counted(100, [0, 0], [1, 100]));
    const found = judged(SEQUENTIAL, 100, ...before, ...leak);
    expect(found).toMatchObject({ kind: "fail", threshold: 0.005 });
    expect(found.estimate).toBeCloseTo(0.05, 12);
    expect(found.reason).toBe(
      "errors 6.00 % since all users are on the candidate, 1.00 % on stable before: risen beyond +0.50 %",
    );
    expect(judged(SEQUENTIAL, 100, ...before, ...calm).kind).not.toBe("fail");
  });

  it("RB-3: alarms nobody where stable never answered, because nothing says what is normal", () => {
    expect(judged(SEQUENTIAL, 100, ...Array(200).fill(counted(100, [0, 0], [30, 100]))).kind).not.toBe("fail");
  });
});

describe("error-rate, in seconds of traffic", () => {
  const second = (failures: number) => aBlock(10, { requests: 90, failures: 0 }, { requests: 10, failures });

  it("is no-data before the candidate has answered, never a pass", () => {
    expect(verdictOf(errorRate, SEQUENTIAL, 10, [aBlock(10, { requests: 90 }, {})]).kind).toBe("no-data");
  });

  it("fails a dead candidate within 2 s at 10 of 100 requests a second", () => {
    const dead = aBlock(10, { requests: 90 }, { requests: 10, failures: 10 });
    expect(verdictOf(errorRate, SEQUENTIAL, 10, [dead, dead])).toMatchObject({ kind: "fail", estimate: 1 });
  });

  it("holds, saying how many requests are missing, until +1 point is excluded, then passes", () => {
    const early = verdictOf(errorRate, SEQUENTIAL, 10, Array(20).fill(second(0)));
    expect(early).toMatchObject({ kind: "inconclusive", samples: { candidate: 200 } });
    expect(early.needs).toMatch(/^about \d+ more candidate requests$/);
    expect(verdictOf(errorRate, SEQUENTIAL, 10, Array(100).fill(second(0)))).toMatchObject({
      kind: "pass",
      threshold: 0.01,
    });
  });

  it("never passes zero-baseline errors: 0 on stable and 3 % on the candidate", () => {
    const blocks = Array.from({ length: 300 }, (_, index) => second(index % 10 < 3 ? 1 : 0));
    for (let length = 1; length <= blocks.length; length += 7) {
      expect(verdictOf(errorRate, SEQUENTIAL, 10, blocks.slice(0, length)).kind).not.toBe("pass");
    }
    expect(verdictOf(errorRate, SEQUENTIAL, 10, blocks).kind).toBe("fail");
  });

  it("starts anew at the next share, and takes no late window of the share before for a new one", () => {
    const at = (percent: number, failures: number, endS: number) =>
      aBlock(percent, { requests: 90 }, { requests: 10, failures }, endS);
    const late = [at(10, 5, 1), at(50, 0, 2), at(10, 0, 3), at(50, 1, 4)];
    const verdict = verdictOf(errorRate, SEQUENTIAL, 50, late);
    expect([verdict.samples.candidate, verdict.estimate]).toEqual([20, 0.05]);
  });

  it("RB-3: stops after a flip from nothing to everything, where nothing was ever compared", () => {
    const before = Array.from({ length: 60 }, (_, index) => aBlock(0, { requests: 50 }, {}, index + 1));
    const failing = Array.from({ length: 20 }, (_, index) =>
      aBlock(100, {}, { requests: 50, failures: 20 }, 61 + index),
    );
    expect(verdictOf(errorRate, SEQUENTIAL, 100, [...before, ...failing]).kind).toBe("fail");
  });

  it("keeps its last word at 100 %, where nothing is left to compare with", () => {
    const compared = aBlock(50, { requests: 100, failures: 1 }, { requests: 100, failures: 2 });
    const alone = aBlock(100, {}, { requests: 100, failures: 4 });
    expect(verdictOf(errorRate, SEQUENTIAL, 100, [compared, alone]).estimate).toBeCloseTo(0.01, 6);
    const late = aBlock(100, { requests: 3 }, { requests: 6 }); // What stable had begun before the last share.
    const healthy = Array.from({ length: 40 }, (_, index) =>
      aBlock(50, { requests: 100 }, { requests: 100 }, index + 1),
    );
    const [before, after] = [healthy, [...healthy, late]].map((all) => verdictOf(errorRate, SEQUENTIAL, 100, all));
    expect([before?.kind, after?.kind, after?.samples]).toEqual(["pass", "pass", { stable: 4_000, candidate: 4_000 }]);
  });

  it("never says that a margin is wanted which it calls excluded", () => {
    const few = aBlock(10, { requests: 900 }, { requests: 99 });
    const many = { ...SEQUENTIAL, minSamples: 10_000 };
    const reasons = [few, aBlock(10, { requests: 9_000 }, { requests: 1_000 })].map(
      (block) => judged(many, 10, block).reason,
    );
    expect(reasons[1]).toBe(
      "errors 0.00 % against 0.00 % on stable: harm beyond +1.00 % is excluded, by fewer requests than the 10000 that are wanted",
    );
    for (const reason of reasons) {
      const [, excluded, wanted] = /beyond \+(\S+) % is excluded, \+(\S+) % is wanted/.exec(reason) ?? [];
      if (excluded !== undefined) expect(Number(excluded)).toBeGreaterThan(Number(wanted));
    }
  });
});
