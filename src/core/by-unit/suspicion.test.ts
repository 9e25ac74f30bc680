import { describe, expect, it } from "vitest";
import { atShare, opened } from "../../../test/verdict-of.ts";
import { UnitEvidence } from "./unit-evidence.ts";
import { classesOf } from "../observe/observe.ts";
import { crowdTraffic } from "../rehearsal/crowd-traffic.ts";
import type { Population } from "../rehearsal/population.ts";
import { randomStream } from "../stats/random.ts";
import type { Verdict } from "../verdict.ts";
import { errorRate } from "../judge/errors/error-rate.ts";

const SHARE_BP = 1_000;
const REPAIRED_S = 400;

/** Three busy users fail all that the candidate answers them, until it is repaired. */
const FEW: Population = {
  users: 2_000,
  zipf: 0.8,
  requestsPerSecond: 20,
  trait: () => 0,
  failure: ({ rank, hash }, arm, atS) => {
    const isOne = arm === "candidate" && rank < 30 && hash < (SHARE_BP / 10_000) * 2 ** 32;
    return isOne && atS < REPAIRED_S ? 1 : 0.004;
  },
};

const OPTIONS = {
  mode: "sequential",
  alpha: 0.001,
  beta: 0.05,
  margin: { under10: 0.02, under50: 0.01, from50: 0.005 },
  minSamples: 100,
};

/** What the gate says at 10 % once a minute. */
function minutes(population: Population, seed: number, count: number): readonly Verdict[] {
  const [gate, random, units] = [opened(errorRate, OPTIONS), randomStream(seed), new UnitEvidence()];
  const traffic = crowdTraffic(population);
  const said: Verdict[] = [];
  let state = gate.start({ known: [] });
  for (let atS = 1; atS <= count * 60; atS++) {
    const block = traffic(SHARE_BP, atS, random);
    if (block.units !== undefined) units.take(block.units, classesOf(block.arms));
    state = gate.fold(state, block);
    if (atS % 60 === 0) said.push(gate.decide(state, { ...atShare(SHARE_BP / 100), units }));
  }
  return said;
}

const isHeld = ({ kind, reason }: Verdict) => kind === "inconclusive" && reason.includes("the share is held");

describe("what requests show and users do not confirm", () => {
  it("holds the share and says since when, which users, what stable did, what to do", () => {
    const said = minutes(FEW, 2, 6);
    expect(said.every(isHeld)).toBe(true);
    const last = said.at(-1);
    expect(last?.reason).toBe(
      "errors 25.84 % against 0.27 % on stable (met by 6 and 14 users): since 00:00:06 UTC requests to the " +
        "candidate fail more than chance allows, and few users send them: 185 of 733 failed, most of them of " +
        "u-288f7ea4 (55 of 55), u-df813d61 (42 of 42), u-ddacc85f (39 of 39); in the same time 16 of 5880 failed on " +
        "stable. A few users may as well be the reason as the release: the share is held",
    );
    expect(last?.needs).toBe(
      "failures of more users, which stop it, or half an hour without more failures than chance, after which it goes " +
        "on by itself; look at what these users met (`sluice unit ID` tells whether one is a user you know)",
    );
  });

  it("goes on by itself within half an hour after the failures ended", () => {
    const said = minutes(FEW, 2, 50);
    const firstFree = said.findIndex((verdict) => !isHeld(verdict)) + 1;
    expect(firstFree).toBeGreaterThan(REPAIRED_S / 60 + 10);
    expect(firstFree).toBeLessThanOrEqual(REPAIRED_S / 60 + 30);
    expect(said.slice(firstFree).some(isHeld)).toBe(false);
  });
});
