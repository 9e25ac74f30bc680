import { describe, expect, it } from "vitest";
import { aPlan, aPreset, gatesOf, traffic } from "../../../test/builders.ts";
import { crowdTraffic } from "./crowd-traffic.ts";
import type { Population } from "./population.ts";
import { studyPolicy } from "./study.ts";

const preset = aPreset("default");
const stages = [1, 5, 10, 25, 50].map((percent) => traffic(percent, 120_000));
const plan = aPlan({ gates: gatesOf(preset), stages });
const WALK_S = 5 * 120;

const BASE = { users: 3_000, zipf: 0.8, requestsPerSecond: 50 } as const;
/** 1 % of the users cause the failures, on both arms alike. */
const FEW_BAD: Population = {
  ...BASE,
  trait: (random) => (random() < 0.01 ? 0.5 : 0),
  failure: ({ trait }) => trait,
};
/** 5 % of the users are four times slower, on both arms alike. */
const FEW_SLOW: Population = {
  ...BASE,
  trait: (random) => (random() < 0.05 ? 4 : 1),
  failure: () => 0.005,
  latencyMs: ({ trait }, _arm, _atS, random) => 60 * trait * Math.exp(0.5 * Math.sqrt(-2 * Math.log(1 - random()))),
};
const failing = (rate: number, users = 3_000): Population => ({
  ...BASE,
  users,
  trait: () => 0,
  failure: (_person, arm) => (arm === "candidate" ? rate : 0.005),
});

function study(population: Population, runs: number, limitS = WALK_S) {
  return studyPolicy(plan, crowdTraffic(population), { runs, seed: 11, limitS });
}

describe("the default gates where failures and slowness follow users", () => {
  it("stop none of 12 healthy rollouts whose failures come from 1 % of the users", { timeout: 240_000 }, () => {
    expect(study(FEW_BAD, 12).aborted.value).toBe(0);
  });

  it("stop none of 12 healthy rollouts of which some users are slow", { timeout: 240_000 }, () => {
    expect(study(FEW_SLOW, 12).aborted.value).toBe(0);
  });

  it("stop 8 of 8 dead releases within seconds of their first users", { timeout: 240_000 }, () => {
    const { aborted, timeToDecisionS } = study(failing(1), 8);
    expect(aborted.value).toBe(1);
    expect(timeToDecisionS?.p50).toBeLessThanOrEqual(20);
  });

  it("let none of 6 releases that fail 5 % of the requests past 1 % of the users", { timeout: 240_000 }, () => {
    const { aborted, promoted, undecided, causes } = study(failing(0.05), 6, 3_600);
    expect(promoted.value).toBe(0);
    // Thirty users are few: what their requests prove and they do not holds the share at 1 % and asks a person.
    expect(aborted.value).toBeGreaterThanOrEqual(0.5);
    expect(aborted.value + undecided.value).toBe(1);
    expect(Object.keys(causes)).toEqual(["error-rate"]);
  });
});
