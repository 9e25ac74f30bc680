import { describe, expect, it } from "vitest";
import { aPlan, aPreset, gatesOf } from "../../../test/builders.ts";
import { randomStream } from "../stats/random.ts";
import { binOf } from "../window/sketch.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW } from "../window/window.ts";
import { recordedTraffic } from "./recorded.ts";
import { SCENARIOS, USUAL_BASELINE } from "./scenario.ts";
import { passingAnswers, studyPolicy } from "./study.ts";

const preset = aPreset("default");
const plan = aPlan({ gates: gatesOf(preset), stages: preset.stages });
const LIMIT_S = 10 * 3_600;

function study(name: string, requestsPerSecond: number, runs: number, seed = 1) {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`no scenario is named ${name}`);
  const arms = scenario.arms({ ...USUAL_BASELINE, requestsPerSecond });
  return studyPolicy(plan, { requestsPerSecond, arms }, { runs, seed, limitS: LIMIT_S });
}

describe("the default policy, whole rollouts in virtual time", () => {
  it("A/A: aborts at most 1 % of 200 healthy rollouts of seven stages, looked at every second", {
    timeout: 600_000,
  }, () => {
    const { aborted, promoted, undecided } = study("healthy", 20, 200);
    expect(aborted.value).toBeLessThanOrEqual(0.01);
    expect([promoted.value, undecided.value]).toEqual([1 - aborted.value, 0]);
  });

  it("promotes at most 1 % of releases with 2 % errors against 0.5 %", { timeout: 120_000 }, () => {
    expect(study("errors-2", 100, 100).promoted.value).toBeLessThanOrEqual(0.01);
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

  it("says the standard error of a rate, and nothing about times that did not occur", () => {
    const { aborted, timeTo100S } = study("errors-50", 100, 10);
    expect([aborted.value, aborted.standardError, timeTo100S]).toEqual([1, 0, null]);
  });

  it("takes identity and probes to pass, and only them", () => {
    const { parity, probes } = passingAnswers(plan);
    expect(parity.map(({ kind }) => kind)).toEqual(["pass"]);
    expect(probes("full").map(({ gate }) => gate)).toEqual(["schema-violation", "coverage", "delta-s", "lambda"]);
  });
});

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
