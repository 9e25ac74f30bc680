import { describe, expect, it } from "vitest";
import { aBlock } from "../../../test/builders.ts";
import { randomStream } from "../stats/random.ts";
import { bp } from "../unit.ts";
import type { Verdict } from "../verdict.ts";
import { binOf, mergeBins, type SparseBins } from "../window/sketch.ts";
import { errorRate } from "./error-rate.ts";
import type { Block, StageView, TrafficGate } from "./gate.ts";
import type { ErrorRateOptions, P95Options } from "./options.ts";
import { newErrorClass } from "./new-error-class.ts";
import { p95Warm } from "./p95-warm.ts";

const ERRORS: ErrorRateOptions = {
  mode: "sequential",
  alpha: 0.001,
  beta: 0.05,
  margin: { under10: 0.02, under50: 0.01, from50: 0.005 },
  minSamples: 100,
};
const P95: P95Options = {
  mode: "sequential",
  alpha: 0.001,
  beta: 0.05,
  harmRatio: 1.1,
  margin: { under10: 1.5, under50: 1.25, from50: 1.25 },
  minSamples: 60,
  swingMs: 1_000,
};
const NEW_CLASS = { alpha: 0.001, beta: 0.05 };

const at = (percent: number): StageView => ({ kind: "traffic", candidateBp: bp(percent * 100), heldMs: 0, holdMs: 0 });

function run<O, S>(gate: TrafficGate<O, S>, options: O, blocks: readonly Block[], stage: StageView): Verdict {
  return gate.decide(
    blocks.reduce((state, one) => gate.fold(state, one, options), gate.start(options)),
    stage,
    options,
  );
}

const bins = (latenciesMs: readonly number[]): SparseBins =>
  latenciesMs.reduce<SparseBins>((all, ms) => mergeBins(all, [binOf(ms), 1]), []);

/** Lognormal latencies, median 60 ms, sigma 0.4, by a seeded generator. */
function latencies(count: number, factor: number, uniform: () => number): number[] {
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return 60 * factor * Math.exp(0.4 * normal);
  });
}

describe("error-rate", () => {
  const second = (failures: number) => aBlock(10, { requests: 90, failures: 0 }, { requests: 10, failures });

  it("is no-data before the candidate has answered, never a pass", () => {
    expect(run(errorRate, ERRORS, [aBlock(10, { requests: 90 }, {})], at(10)).kind).toBe("no-data");
  });

  it("fails a dead candidate within 2 s at 10 of 100 requests a second", () => {
    const dead = aBlock(10, { requests: 90 }, { requests: 10, failures: 10 });
    expect(run(errorRate, ERRORS, [dead, dead], at(10))).toMatchObject({ kind: "fail", estimate: 1 });
  });

  it("holds, saying how many requests are missing, until +1 point is excluded, then passes", () => {
    const early = run(errorRate, ERRORS, Array(20).fill(second(0)), at(10));
    expect(early).toMatchObject({ kind: "inconclusive", samples: { candidate: 200 } });
    expect(early.needs).toMatch(/^about \d+ more candidate requests$/);
    expect(run(errorRate, ERRORS, Array(100).fill(second(0)), at(10))).toMatchObject({ kind: "pass", threshold: 0.01 });
  });

  it("never passes zero-baseline errors: 0 on stable and 3 % on the candidate", () => {
    const blocks = Array.from({ length: 300 }, (_, index) => second(index % 10 < 3 ? 1 : 0));
    for (let length = 1; length <= blocks.length; length += 7) {
      expect(run(errorRate, ERRORS, blocks.slice(0, length), at(10)).kind).not.toBe("pass");
    }
    expect(run(errorRate, ERRORS, blocks, at(10)).kind).toBe("fail");
  });
});

describe("new-error-class", () => {
  const seen = (percent: number, name: string) =>
    aBlock(percent, { requests: 99 }, { requests: 1, failures: 1, classes: { [name]: 1 } });

  it("fails at 2 sightings at 1 %, 3 at 5 %, 5 at 25 %, 10 at 50 % (definitions §8)", () => {
    for (const [percent, needed] of [
      [1, 2],
      [5, 3],
      [25, 5],
      [50, 10],
    ] as const) {
      const one = aBlock(
        percent,
        { requests: 100 - percent },
        { requests: percent, failures: 1, classes: { "body|network|cut": 1 } },
      );
      expect(run(newErrorClass, NEW_CLASS, Array(needed - 1).fill(one), at(percent)).kind, `${percent} %`).not.toBe(
        "fail",
      );
      expect(run(newErrorClass, NEW_CLASS, Array(needed).fill(one), at(percent)).kind, `${percent} %`).toBe("fail");
    }
  });

  it("clears a class as soon as stable shows it too (TE-17)", () => {
    const onStable = aBlock(1, { requests: 99, failures: 1, classes: { "headers|5xx|503": 1 } }, {});
    const blocks = [seen(1, "headers|5xx|503"), onStable, seen(1, "headers|5xx|503"), seen(1, "headers|5xx|503")];
    expect(run(newErrorClass, NEW_CLASS, blocks, at(1)).kind).toBe("pass");
  });

  it("does not call a class new that stable showed before the rollout", () => {
    const start = newErrorClass.withKnown(newErrorClass.start(NEW_CLASS), { known: ["headers|5xx|503"] });
    const state = [1, 2, 3].reduce((last) => newErrorClass.fold(last, seen(1, "headers|5xx|503"), NEW_CLASS), start);
    expect(newErrorClass.decide(state, at(1), NEW_CLASS).kind).toBe("pass");
  });

  it("holds on what may be chance or not: one sighting at 1 %", () => {
    expect(run(newErrorClass, NEW_CLASS, [seen(1, "body|network|cut")], at(1)).kind).toBe("inconclusive");
  });
});

describe("p95-warm", () => {
  const uniform = randomStream(7);
  const seconds = (count: number, factor: number, rate = 200, percent = 10) =>
    Array.from({ length: count }, (_, second) => {
      const candidate = Math.round((rate * percent) / 100);
      return aBlock(
        percent,
        { requests: rate - candidate, warm: bins(latencies(rate - candidate, 1, uniform)) },
        { requests: candidate, warm: bins(latencies(candidate, factor, uniform)) },
        second + 1,
      );
    });

  it("is no-data without warm answers of both arms", () => {
    expect(run(p95Warm, P95, [aBlock(10, { warm: bins([60]) }, {})], at(10)).kind).toBe("no-data");
  });

  it("fails a candidate 1.6 times as slow within 20 s at 20 requests a second, where arms swing for a second at most", () => {
    const verdict = run(p95Warm, P95, seconds(20, 1.6), at(10));
    expect(verdict.kind).toBe("fail");
    expect(verdict.estimate).toBeGreaterThan(1.3);
  });

  it("waits until slowness has outlasted the swings of the arms, however clear it is", () => {
    const slow = (swingMs: number) => run(p95Warm, { ...P95, swingMs }, seconds(30, 3), at(10)).kind;
    expect([slow(1_000), slow(15_000)]).toEqual(["fail", "inconclusive"]);
    expect(run(p95Warm, { ...P95, swingMs: 15_000 }, seconds(90, 3), at(10)).kind).toBe("fail");
  });

  it("excludes 1.5 times for an equal candidate within 20 s at 10 %, and never fails it in 120 s", () => {
    const blocks = seconds(120, 1);
    const loose = { ...P95, margin: { under10: 1.5, under50: 1.5, from50: 1.3 } };
    expect(run(p95Warm, loose, blocks.slice(0, 20), at(10)).kind).toBe("pass");
    expect(run(p95Warm, loose, blocks, at(10)).kind).toBe("pass");
  });

  it("takes drift that hits both arms at once for no evidence", () => {
    const drifting = Array.from({ length: 120 }, (_, index) => {
      const factor = index < 60 ? 1 : 3;
      const percent = index < 60 ? 10 : 50;
      const candidate = (200 * percent) / 100;
      return aBlock(
        percent,
        { warm: bins(latencies(200 - candidate, factor, uniform)) },
        { warm: bins(latencies(candidate, factor, uniform)) },
      );
    });
    expect(run(p95Warm, P95, drifting, at(50)).kind).not.toBe("fail");
  });
});

describe("what an estimate compares", () => {
  const warm = (ms: number, count: number) => ({ requests: count, warm: bins(Array(count).fill(ms)) });

  it("is the share's own hours: a slow first minute of stable before the candidate came is forgotten", () => {
    const before = Array.from({ length: 60 }, (_, index) => aBlock(0, warm(900, 50), {}, index + 1));
    const since = Array.from({ length: 60 }, (_, index) => aBlock(10, warm(100, 45), warm(100, 5), 61 + index));
    expect(run(p95Warm, P95, [...before, ...since], at(10)).estimate).toBeCloseTo(1, 2);
  });

  it("starts anew at the next share, and takes no late window of the share before for a new one", () => {
    const second = (percent: number, failures: number, endS: number) =>
      aBlock(percent, { requests: 90 }, { requests: 10, failures }, endS);
    const late = [second(10, 5, 1), second(50, 0, 2), second(10, 0, 3), second(50, 1, 4)];
    const verdict = run(errorRate, ERRORS, late, at(50));
    expect([verdict.samples.candidate, verdict.estimate]).toEqual([20, 0.05]);
  });

  it("RB-3: stops after a flip from nothing to everything, where nothing was ever compared", () => {
    const before = Array.from({ length: 60 }, (_, index) => aBlock(0, warm(100, 50), {}, index + 1));
    const failing = { requests: 50, failures: 20 };
    const after = Array.from({ length: 20 }, (_, index) => aBlock(100, {}, failing, 61 + index));
    expect(run(errorRate, ERRORS, [...before, ...after], at(100)).kind).toBe("fail");
    const slow = Array.from({ length: 1_200 }, (_, index) => aBlock(100, {}, warm(400, 50), 61 + index));
    const calm = Array.from({ length: 120 }, (_, index) => aBlock(0, warm(100, 50), {}, index - 59));
    expect(run(p95Warm, P95, [...calm, ...slow], at(100)).kind).toBe("fail");
  });

  it("keeps its last word at 100 %, where nothing is left to compare with", () => {
    const compared = aBlock(50, { requests: 100, failures: 1 }, { requests: 100, failures: 2 });
    const alone = aBlock(100, {}, { requests: 100, failures: 4 });
    expect(run(errorRate, ERRORS, [compared, alone], at(100)).estimate).toBeCloseTo(0.01, 6);
  });
});
