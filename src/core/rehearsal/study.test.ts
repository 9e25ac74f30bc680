import { describe, expect, it } from "vitest";
import { aPlan, aPreset, gatesOf, LADDER, traffic, watch } from "../../../test/builders.ts";
import { forecastRollout } from "../forecast/rollout.ts";
import { randomStream } from "../stats/random.ts";
import { binOf } from "../window/sketch.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW } from "../window/window.ts";
import { recordedTraffic } from "./recorded.ts";
import { SCENARIOS, USUAL_BASELINE } from "./scenario.ts";
import { passingAnswers, studyPolicy } from "./study.ts";

const preset = aPreset("default");
const plan = aPlan({ gates: gatesOf(preset), stages: LADDER });
const LIMIT_S = 10 * 3_600;

function study(name: string, requestsPerSecond: number, runs: number, seed = 1) {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`no scenario is named ${name}`);
  const arms = scenario.arms({ ...USUAL_BASELINE, requestsPerSecond });
  return studyPolicy(plan, { requestsPerSecond, arms }, { runs, seed, limitS: LIMIT_S });
}

describe("the default policy, whole rollouts in virtual time", () => {
  it("A/A: aborts none of 16 healthy rollouts of seven stages, looked at every second", {
    timeout: 600_000,
  }, () => {
    const { aborted, promoted, undecided } = study("healthy", 20, 16);
    expect([aborted.value, promoted.value, undecided.value]).toEqual([0, 1, 0]);
  });

  it("promotes none of 40 releases with 2 % errors against 0.5 %", { timeout: 120_000 }, () => {
    expect(study("errors-2", 100, 40).promoted.value).toBe(0);
  });

  it("never promotes 3 % errors where stable has none, in 60 of 60 runs", { timeout: 120_000 }, () => {
    expect(study("zero-baseline", 20, 60)).toMatchObject({ aborted: { value: 1 }, promoted: { value: 0 } });
  });

  it.each(["slow-40", "slow-60", "errors-5", "new-class", "error-leak", "latency-leak"])(
    "never promotes %s in 10 of 10 runs",
    { timeout: 120_000 },
    (name) => {
      expect(study(name, 100, 10).promoted.value).toBe(0);
    },
  );

  it("forgives cold starts (CW-5): warm answers are as fast, so the candidate is promoted in 3 of 3 runs", {
    timeout: 60_000,
  }, () => {
    expect(study("cold-start", 20, 3).promoted.value).toBe(1);
  });

  it("finds a dead release within seconds, at the cost of a handful of requests", () => {
    const { timeToDecisionS, candidateRequestsExposed } = study("dead", 100, 50);
    expect(timeToDecisionS?.p50).toBeLessThanOrEqual(3);
    expect(candidateRequestsExposed?.p95).toBeLessThanOrEqual(6);
  });

  it("keeps what plan announces: 10 of 10 healthy rollouts reach 100 % within it, the median near the expected time", {
    timeout: 120_000,
  }, () => {
    for (const requestsPerSecond of [10, 50]) {
      const assumed = { requestsPerSecond, failureRate: 0.005, latencySigma: 0.5 };
      const { to100S } = forecastRollout(plan, assumed);
      const { timeTo100S, promoted } = study("healthy", requestsPerSecond, 5, 500);
      expect(promoted.value).toBe(1);
      expect(timeTo100S?.p95).toBeLessThanOrEqual(to100S?.within ?? 0);
      expect((timeTo100S?.p50 ?? 0) / (to100S?.expected ?? 1)).toBeGreaterThan(0.6);
      expect((timeTo100S?.p50 ?? 0) / (to100S?.expected ?? 1)).toBeLessThan(1.3);
    }
  });

  it("finds p95 +40 % at 5 % of 100 requests a second within 3 minutes, median of 60 runs", {
    timeout: 120_000,
  }, () => {
    const scenario = SCENARIOS.find(({ name }) => name === "slow-40");
    const stage = { ...plan, stages: [traffic(5, 900_000, 3_600_000), watch()] };
    const world = { requestsPerSecond: 100, arms: scenario?.arms(USUAL_BASELINE) ?? never() };
    const { timeToDecisionS, aborted } = studyPolicy(stage, world, { runs: 60, seed: 1, limitS: 3_600 });
    expect(aborted.value).toBe(1);
    expect(timeToDecisionS?.p50).toBeLessThanOrEqual(180);
  });

  it("finds a dead release at 5 % of 10 requests a second within 7 seconds, median of 200 runs", () => {
    const scenario = SCENARIOS.find(({ name }) => name === "dead");
    const stage = { ...plan, stages: [traffic(5, 900_000, 3_600_000), watch()] };
    const baseline = { ...USUAL_BASELINE, requestsPerSecond: 10 };
    const world = { requestsPerSecond: 10, arms: scenario?.arms(baseline) ?? never() };
    const { timeToDecisionS } = studyPolicy(stage, world, { runs: 200, seed: 1, limitS: 600 });
    // Counted from the candidate's first request, for which half a request a second waits another 2 s.
    expect((timeToDecisionS?.p50 ?? 0) + 2).toBeLessThanOrEqual(7);
  });

  it("catches a leak that begins after 100 %, where no stable arm runs beside it", { timeout: 120_000 }, () => {
    const short = { ...plan, stages: [traffic(50, 60_000, 3_600_000), watch(3_600_000)] };
    const { requestsPerSecond } = USUAL_BASELINE;
    const arms = SCENARIOS[0]?.arms(USUAL_BASELINE) ?? never();
    const late = (atS: number): boolean => atS > 1_200;
    const errors = { ...arms.candidate, failures: (atS: number) => ({ "headers|5xx|503": late(atS) ? 0.04 : 0.005 }) };
    const slow = { ...arms.candidate, latency: (atS: number) => ({ medianMs: late(atS) ? 120 : 60, sigma: 0.5 }) };
    const run = (candidate: typeof arms.candidate) =>
      studyPolicy(short, { requestsPerSecond, arms: { ...arms, candidate } }, { runs: 10, seed: 1, limitS: 8_000 });
    expect(run(errors)).toMatchObject({ aborted: { value: 1 }, causes: { "error-rate": 10 } });
    expect(run(slow)).toMatchObject({ aborted: { value: 1 }, causes: { "p95-warm": 10 } });
    expect(run(arms.candidate)).toMatchObject({ promoted: { value: 1 } });
  });

  it.each([
    ["25 %, together", 0.25, true],
    ["10 %, each for itself", 0.1, false],
  ])(
    "aborts none of 4 healthy rollouts whose arms swing for ten seconds at a time, by %s",
    { timeout: 120_000 },
    (_, deviation, isShared) => {
      const arms = SCENARIOS[0]?.arms(USUAL_BASELINE) ?? never();
      const swing = (seed: number) => {
        const random = randomStream(seed);
        const levels: number[] = [0];
        return (atS: number): number => {
          while (levels.length <= atS) {
            const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
            levels.push(0.9 * (levels.at(-1) ?? 0) + deviation * Math.sqrt(1 - 0.81) * normal);
          }
          return levels[atS] ?? 0;
        };
      };
      const outcomes = [1, 2, 3, 4].map((seed) => {
        const own = [swing(seed), swing(isShared ? seed : seed + 100)];
        const swinging = (index: number) => ({
          ...arms.stable,
          latency: (atS: number) => ({ medianMs: 60 * Math.exp(own[index]?.(atS) ?? 0), sigma: 0.5 }),
        });
        const world = { requestsPerSecond: 50, arms: { stable: swinging(0), candidate: swinging(1) } };
        return studyPolicy(plan, world, { runs: 1, seed, limitS: LIMIT_S }).aborted.value;
      });
      expect(outcomes).toEqual(Array(4).fill(0));
    },
  );

  it("says the standard error of a rate, and nothing about times that did not occur", () => {
    const { aborted, timeTo100S } = study("errors-50", 100, 10);
    expect([aborted.value, timeTo100S]).toEqual([1, null]);
    expect(aborted.standardError).toBeCloseTo(Math.sqrt(11 / 12 / 12 / 10), 12);
  });

  it("takes identity and probes to pass, and only them", () => {
    const { parity, probes } = passingAnswers(plan);
    expect(parity.map(({ kind }) => kind)).toEqual(["pass"]);
    expect(probes("full").map(({ gate }) => gate)).toEqual(["schema-violation", "coverage", "delta-s", "lambda"]);
  });
});

function never(): never {
  throw new Error("the scenario is listed");
}

describe("recordedTraffic", () => {
  const second = (count: number): ArmWindow => ({
    ...EMPTY_ARM_WINDOW,
    requests: count,
    requestsAll: count,
    warm: [binOf(50), count - 2, binOf(400), 2],
  });
  const seconds = [second(40), second(10)];

  it("deals each recorded second to the arms, over and over, and loses none of it", () => {
    const traffic = recordedTraffic(seconds, { failureRate: 0, latencyFactor: 1 });
    const random = randomStream(1);
    const totals = [1, 2, 3, 4].map((atS) => {
      const { stable, candidate } = traffic(2_500, atS, random).arms;
      return stable.requests + candidate.requests;
    });
    expect(totals).toEqual([40, 10, 40, 10]);
    let candidate = 0;
    for (let atS = 1; atS <= 400; atS++) candidate += traffic(2_500, atS, random).arms.candidate.requests;
    expect(candidate / (200 * 50)).toBeCloseTo(0.25, 1);
  });

  it("puts harm on the candidate alone", () => {
    const traffic = recordedTraffic(seconds, { failureRate: 1, latencyFactor: 2 });
    const { stable, candidate } = traffic(5_000, 1, randomStream(2)).arms;
    expect([stable.failures, candidate.failures]).toEqual([0, candidate.requests]);
    const slow = recordedTraffic(seconds, { failureRate: 0, latencyFactor: 2 })(5_000, 1, randomStream(2)).arms;
    expect(slow.candidate.warm[0]).toBe(binOf(50 * 2 * 1.004));
    expect(slow.stable.warm[0]).toBe(binOf(50));
  });
});
