import { describe, expect, it } from "vitest";
import { aBlock } from "../../../../test/builders.ts";
import { type OptionsOfGate, verdictOf } from "../../../../test/verdict-of.ts";
import { randomStream } from "../../stats/random.ts";
import { binOf, mergeBins, type SparseBins } from "../../window/sketch.ts";
import type { ArmWindow } from "../../window/window.ts";
import type { Block } from "../block.ts";
import { p95EqualLoad, p95Warm } from "./p95-warm.ts";

type P95Options = OptionsOfGate<typeof p95Warm>;
const SEQUENTIAL: P95Options = {
  mode: "sequential",
  alpha: 0.001,
  beta: 0.05,
  harmRatio: 1.1,
  margin: { under10: 1.5, under50: 1.25, from50: 1.25 },
  minSamples: 60,
  swingMs: 1_000,
};
const LITERAL: P95Options = { ...SEQUENTIAL, mode: "literal", harmRatio: 1.25 };

/** Answers that all took the same time. */
const took = (ms: number, count: number): Partial<ArmWindow> => ({
  requests: count,
  warm: count === 0 ? [] : [binOf(ms), count],
});
const both = (stable: Partial<ArmWindow>, candidate: Partial<ArmWindow>, percent = 10, endS = 1) =>
  aBlock(percent, stable, candidate, endS);

/** Lognormal latencies, median 60 ms, sigma 0.4. */
function drawn(count: number, factor: number, uniform: () => number): Partial<ArmWindow> {
  const bins = Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return binOf(60 * factor * Math.exp(0.4 * normal));
  });
  return { requests: count, warm: bins.reduce<SparseBins>((all, bin) => mergeBins(all, [bin, 1]), []) };
}

function seconds(count: number, factor: number, percent = 10, rate = 200, seed = 7): readonly Block[] {
  const uniform = randomStream(seed);
  const candidate = Math.round((rate * percent) / 100);
  return Array.from({ length: count }, (_, index) =>
    both(drawn(rate - candidate, 1, uniform), drawn(candidate, factor, uniform), percent, index + 1),
  );
}

describe("p95-warm, literal", () => {
  it("GQ-14: compares the stage's own p95s with the limits, once both arms have their least samples", () => {
    const passed = verdictOf(p95Warm, LITERAL, 10, [both(took(100, 60), took(120, 60))]);
    expect(passed).toMatchObject({ kind: "pass", threshold: 1.25, alpha: null, eValue: null, samples: { stable: 60 } });
    expect(passed.estimate).toBeCloseTo(1.2, 1);
    expect(passed.reason).toContain("(1.20x): within 1.25x");
    const over = verdictOf(p95Warm, LITERAL, 10, [both(took(100, 60), took(130, 60))]);
    expect(over).toMatchObject({ kind: "fail", threshold: 1.25 });
    expect(over.reason).toContain("worse than 1.25x");
    expect(over.reason).not.toContain("is proven");
  });

  it("neither passes nor fails on fewer answers of either arm, and says how many are missing", () => {
    for (const arms of [both(took(100, 59), took(300, 90)), both(took(100, 90), took(300, 59))])
      expect(verdictOf(p95Warm, LITERAL, 10, [arms])).toMatchObject({
        kind: "inconclusive",
        needs: "1 more warm candidate requests",
      });
    expect(verdictOf(p95Warm, LITERAL, 10, [both(took(100, 59), took(100, 90))]).kind).toBe("inconclusive");
  });

  it("holds between what promotes and what stops", () => {
    const wide = { ...LITERAL, harmRatio: 2 };
    const held = verdictOf(p95Warm, wide, 10, [both(took(100, 90), took(150, 90))]);
    expect(held).toMatchObject({ kind: "inconclusive", needs: "a lower p95" });
    expect(held.reason).toContain("not yet known to be within 1.25x");
    expect(verdictOf(p95Warm, wide, 5, [both(took(100, 90), took(145, 90))]).kind).toBe("pass"); // 1.5x under 10 %.
  });

  it("is no data without warm answers, and says of which arm", () => {
    expect(verdictOf(p95Warm, LITERAL, 10, [both(took(100, 9), {})]).reason).toBe(
      "no warm answer of the candidate at this share yet",
    );
    expect(verdictOf(p95Warm, LITERAL, 10, [both({}, took(100, 9))]).reason).toBe(
      "no warm answer of stable at this share yet",
    );
  });

  it("forgets the share before, takes no late window of it, and keeps its last word at 100 %", () => {
    const story = [
      both(took(100, 90), took(900, 90), 5),
      both(took(100, 90), took(100, 90), 10),
      both({}, took(900, 9), 5),
    ];
    expect(verdictOf(p95Warm, LITERAL, 10, story)).toMatchObject({
      kind: "pass",
      samples: { stable: 90, candidate: 90 },
    });
    const alone = [both(took(100, 90), took(100, 90), 50), both({}, took(900, 90), 100)];
    expect(verdictOf(p95Warm, LITERAL, 100, alone)).toMatchObject({
      kind: "pass",
      samples: { stable: 90, candidate: 90 },
    });
    const withLate = [both(took(100, 90), took(100, 90), 50), both(took(100, 3), took(900, 6), 100)];
    expect(verdictOf(p95Warm, LITERAL, 100, withLate)).toMatchObject({
      kind: "pass",
      samples: { stable: 90, candidate: 90 },
    });
    expect(verdictOf(p95Warm, LITERAL, 100, [both({}, took(900, 90), 100)])).toMatchObject({
      samples: { candidate: 90 },
    });
  });
});

describe("p95-warm, sequential", () => {
  it("tells an equal candidate's progress: first that nothing is clear, then how many requests more, then a pass", () => {
    const story = seconds(120, 1);
    const told = story.map((_, index) => verdictOf(p95Warm, SEQUENTIAL, 10, story.slice(0, index + 1)));
    expect(told[0]?.kind).toBe("inconclusive");
    const needs = told.flatMap((verdict) => (verdict.needs === null ? [] : [verdict.needs]));
    const counts = needs.flatMap((text) => /^about (\d+) more warm candidate requests$/.exec(text)?.[1] ?? []);
    expect(counts.length).toBeGreaterThan(3);
    expect(counts.every((count) => Number(count) >= 1)).toBe(true);
    expect(told.at(-1)).toMatchObject({ kind: "pass", alpha: 0.001 });
    expect(told.at(-1)?.reason).toContain("worse than 1.25x is excluded");
    const ahead = told.filter(({ kind, interval }) => kind === "inconclusive" && (interval?.[1] ?? 9) < 1.25);
    expect(ahead.length).toBeGreaterThan(0);
    for (const { reason } of ahead) expect(reason).toMatch(/: probably within 1\.25x, which is not proven yet$/);
    expect(told.at(-1)?.interval?.[0]).toBeLessThan(1);
    expect(told.at(-1)?.interval?.[1]).toBeGreaterThan(1);
  });

  it("says how many more answers it takes so that a person can plan: half of the time within twice what it took", () => {
    const loose = { ...SEQUENTIAL, margin: { under10: 3, under50: 3, from50: 3 } };
    const ratios = Array.from({ length: 12 }, (_, seed) => seconds(60, 1, 20, 15, seed + 1)).flatMap((story) => {
      const told = story.map((_, index) => verdictOf(p95Warm, loose, 20, story.slice(0, index + 1)));
      const passed = told.find(({ kind }) => kind === "pass")?.samples.candidate ?? Number.NaN;
      return told.flatMap(({ needs, samples: { candidate } }) => {
        const more = /^about (\d+) more/.exec(needs ?? "")?.[1];
        return more === undefined || candidate >= passed ? [] : [Number(more) / (passed - candidate)];
      });
    });
    const sorted = ratios.toSorted((a, b) => a - b);
    expect(sorted.length).toBeGreaterThan(100);
    expect(sorted[sorted.length >> 2]).toBeGreaterThan(0.5);
    expect(sorted[(3 * sorted.length) >> 2]).toBeLessThan(2);
  });

  it("does not pass before its least samples, nor while its own ratio lies beyond the margin", () => {
    const story = seconds(60, 1);
    expect(verdictOf(p95Warm, SEQUENTIAL, 10, story).kind).toBe("pass");
    const many = verdictOf(p95Warm, { ...SEQUENTIAL, minSamples: 1_201 }, 10, story);
    expect(many).toMatchObject({ kind: "inconclusive", needs: "1 more warm candidate requests" });
    expect(verdictOf(p95Warm, { ...SEQUENTIAL, minSamples: 1_200 }, 10, story).kind).toBe("pass");
    const next = verdictOf(p95Warm, SEQUENTIAL, 20, [...story, both(took(60, 100), took(90, 20), 20, 61)]);
    expect(next.kind).toBe("inconclusive"); // Evidence of 10 % allows it, the share's own p95 does not.
  });

  it("says that slowness has to outlast the arms' swings where chance alone is excluded", () => {
    const slow = verdictOf(p95Warm, { ...SEQUENTIAL, swingMs: 15_000 }, 10, seconds(30, 3));
    expect(slow).toMatchObject({ kind: "inconclusive" });
    expect(slow.needs).toBe("slowness in stretch after stretch of 15 s, 1 so far, or its end");
    expect(slow.eValue).toBeGreaterThan(1_000);
  });

  it("takes no threshold from fewer than 20 answers of stable", () => {
    const few = [
      both(took(100, 19), {}, 10, 1),
      ...Array.from({ length: 5 }, (_, index) => both({}, took(900, 50), 10, index + 2)),
    ];
    expect(verdictOf(p95Warm, SEQUENTIAL, 10, few).eValue).toBe(1);
    const enough = [
      both(took(100, 20), {}, 10, 1),
      ...Array.from({ length: 5 }, (_, index) => both(took(100, 50), took(900, 50), 10, index + 2)),
    ];
    expect(verdictOf(p95Warm, SEQUENTIAL, 10, enough).eValue).toBeGreaterThan(1_000);
  });

  it("finds harm and proves health also where every answer of stable takes the same time", () => {
    const steady = (ms: number) =>
      Array.from({ length: 60 }, (_, index) => both(took(100, 100), took(ms, 20), 10, index + 1));
    expect(verdictOf(p95Warm, SEQUENTIAL, 10, steady(100)).kind).toBe("pass");
    expect(verdictOf(p95Warm, SEQUENTIAL, 10, steady(115)).kind).toBe("fail");
    expect(verdictOf(p95Warm, SEQUENTIAL, 10, steady(108)).kind).not.toBe("fail"); // Within harmRatio.
  });

  it("CW-5: takes the threshold from stable's last 1 000 to 2 000 answers, not from a slow hour before", () => {
    const slowHour = Array.from({ length: 30 }, (_, index) => both(took(2_000, 100), {}, 10, index + 1));
    const since = (count: number) =>
      Array.from({ length: count }, (_, index) => both(took(100, 100), took(300, 20), 10, 31 + index));
    expect(verdictOf(p95Warm, SEQUENTIAL, 10, [...slowHour, ...since(8)]).eValue).toBeLessThanOrEqual(1);
    expect(verdictOf(p95Warm, SEQUENTIAL, 10, [...slowHour, ...since(40)]).kind).toBe("fail");
  });
});

describe("p95-equal-load", () => {
  const loaded = (arm: Partial<ArmWindow>, sum: number, readings = 2): Partial<ArmWindow> => ({
    ...arm,
    gauges: { instanceConcurrency: { sum, readings } },
  });

  it.each([
    ["10 and 9", 20, 18, true],
    ["10 and 8.9", 20, 17.8, false],
    ["9 and 10", 18, 20, true],
    ["8.9 and 10", 17.8, 20, false],
    ["nothing and nothing", 0, 0, true],
  ] as const)("GQ-17: takes windows in which an instance of each arm carries %s", (_, stable, candidate, isTaken) => {
    const block = both(loaded(took(100, 90), stable), loaded(took(200, 90), candidate));
    expect(verdictOf(p95EqualLoad, LITERAL, 10, [block]).kind).toBe(isTaken ? "fail" : "no-data");
  });

  it("compares the load of one reading, however many there were", () => {
    const block = both(loaded(took(100, 90), 40, 4), loaded(took(200, 90), 10, 1));
    expect(verdictOf(p95EqualLoad, LITERAL, 10, [block]).kind).toBe("fail");
  });

  it("is no data where an arm's load is not reported, and asks for it", () => {
    for (const block of [
      both(loaded(took(100, 90), 20), took(200, 90)),
      both(took(100, 90), loaded(took(200, 90), 20)),
      both(took(100, 90), took(200, 90)),
    ]) {
      const verdict = verdictOf(p95EqualLoad, LITERAL, 10, [block]);
      expect(verdict).toMatchObject({ kind: "no-data", gate: "p95-equal-load" });
      expect(verdict.needs).toContain("instanceConcurrency of both arms within 10 %");
    }
  });
});

describe("p95-warm, in seconds of traffic", () => {
  it("is no-data without warm answers of both arms", () => {
    expect(verdictOf(p95Warm, SEQUENTIAL, 10, [both(took(60, 1), {})]).kind).toBe("no-data");
  });

  it("fails a candidate 1.6 times as slow within 20 s at 20 requests a second, where arms swing for a second at most", () => {
    const verdict = verdictOf(p95Warm, SEQUENTIAL, 10, seconds(20, 1.6));
    expect(verdict.kind).toBe("fail");
    expect(verdict.estimate).toBeGreaterThan(1.3);
  });

  it("waits until slowness has outlasted the swings of the arms, however clear it is", () => {
    const slow = (swingMs: number) => verdictOf(p95Warm, { ...SEQUENTIAL, swingMs }, 10, seconds(30, 3)).kind;
    expect([slow(1_000), slow(15_000)]).toEqual(["fail", "inconclusive"]);
    expect(verdictOf(p95Warm, { ...SEQUENTIAL, swingMs: 15_000 }, 10, seconds(90, 3)).kind).toBe("fail");
  });

  it("excludes 1.5 times for an equal candidate within 20 s at 10 %, and never fails it in 120 s", () => {
    const blocks = seconds(120, 1);
    const loose = { ...SEQUENTIAL, margin: { under10: 1.5, under50: 1.5, from50: 1.3 } };
    expect(verdictOf(p95Warm, loose, 10, blocks.slice(0, 20)).kind).toBe("pass");
    expect(verdictOf(p95Warm, loose, 10, blocks).kind).toBe("pass");
  });

  it("takes drift that hits both arms at once for no evidence", () => {
    const uniform = randomStream(7);
    const drifting = Array.from({ length: 120 }, (_, index) => {
      const [factor, percent] = index < 60 ? [1, 10] : [3, 50];
      const candidate = (200 * percent) / 100;
      return both(drawn(200 - candidate, factor, uniform), drawn(candidate, factor, uniform), percent, index + 1);
    });
    expect(verdictOf(p95Warm, SEQUENTIAL, 50, drifting).kind).not.toBe("fail");
  });
});

describe("p95-warm, what it compares", () => {
  it("is the share's own hours: a slow first minute of stable before the candidate came is forgotten", () => {
    const before = Array.from({ length: 60 }, (_, index) => aBlock(0, took(900, 50), {}, index + 1));
    const since = Array.from({ length: 60 }, (_, index) => aBlock(10, took(100, 45), took(100, 5), 61 + index));
    expect(verdictOf(p95Warm, SEQUENTIAL, 10, [...before, ...since]).estimate).toBeCloseTo(1, 2);
  });

  it("RB-3: stops after a flip from nothing to everything, where nothing was ever compared", () => {
    const slow = Array.from({ length: 1_200 }, (_, index) => aBlock(100, {}, took(400, 50), 61 + index));
    const calm = Array.from({ length: 120 }, (_, index) => aBlock(0, took(100, 50), {}, index - 59));
    const verdict = verdictOf(p95Warm, SEQUENTIAL, 100, [...calm, ...slow]);
    expect(verdict.kind).toBe("fail");
    expect(verdict.reason).toMatch(/^\d+ of \d+ minutes since all users are on the candidate had a p95 beyond 1.25x/);
    expect(verdict.estimate).toBe(1);
  });
});
