import { describe, expect, it } from "vitest";
import { planOurs, runOurs, worldOf } from "../../../bench/judge/ours.mjs";
import { runPeer } from "../../../bench/judge/peers.mjs";
import { PEERS } from "../../../bench/judge/policies.mjs";
import { quantileOf } from "../../../bench/judge/rules/metrics.mjs";
import { MEDIAN_MS, SCENARIOS, SIGMA, scenarioOf } from "../../../bench/judge/scenarios.mjs";
import { createTrace, latencyNoise } from "../../../bench/judge/traces.mjs";
import { drawSecond } from "../../../src/core/rehearsal/world.ts";
import { randomStream } from "../../../src/core/stats/random.ts";
import { mergeBins, quantileOf as quantileOfBins, type SparseBins } from "../../../src/core/window/sketch.ts";

interface Second {
  readonly requests: number;
  readonly failures: number;
  readonly warmMs: readonly number[];
  readonly coldMs: readonly number[];
}

function draw(row: string, share: number, seconds: number, seed = 1) {
  const trace = createTrace(scenarioOf(row), seed);
  const all = Array.from({ length: seconds }, (_, atS) =>
    trace.drawSecond({ stable: 1 - share, candidate: share }, atS),
  );
  const sum = (arm: "stable" | "candidate") => {
    const list = all.map((second: Record<string, Second>) => second[arm] as Second);
    return {
      requests: list.reduce((total, { requests }) => total + requests, 0),
      failures: list.reduce((total, { failures }) => total + failures, 0),
      warmMs: list.flatMap(({ warmMs }) => [...warmMs]),
      coldMs: list.flatMap(({ coldMs }) => [...coldMs]),
    };
  };
  return { stable: sum("stable"), candidate: sum("candidate") };
}

describe("traces", () => {
  it("follow the share: 10 % of 100 requests a second for 1 000 s are 10 000 on the candidate, within 4 %", () => {
    const { stable, candidate } = draw("aa@100", 0.1, 1_000);
    expect(Math.abs(candidate.requests - 10_000)).toBeLessThan(400);
    expect(Math.abs(stable.requests - 90_000)).toBeLessThan(1_200);
    expect(Math.abs(candidate.failures - 50)).toBeLessThan(22);
    expect(quantileOf(candidate.warmMs, 0.5) / MEDIAN_MS).toBeCloseTo(1, 1);
    expect(Math.abs(quantileOf(stable.warmMs, 0.95) / (MEDIAN_MS * Math.exp(1.6449 * SIGMA)) - 1)).toBeLessThan(0.02);
  });

  it("are the same for the same seed, and one arm's draws do not depend on whether the other is looked at", () => {
    const both = createTrace(scenarioOf("errors-5@10"), 3);
    const alone = createTrace(scenarioOf("errors-5@10"), 3);
    for (let atS = 1; atS <= 50; atS++) {
      const seen = both.drawSecond({ stable: 0.8, candidate: 0.2 }, atS).candidate;
      expect(alone.drawSecond({ stable: 0, candidate: 0.2 }, atS).candidate).toEqual(seen);
    }
  });

  it("mark a tenth of the candidate's answers as cold, 5 times slower, and leave the warm ones alone", () => {
    const { stable, candidate } = draw("cold@10", 0.5, 4_000);
    expect(stable.coldMs).toEqual([]);
    const share = candidate.coldMs.length / (candidate.coldMs.length + candidate.warmMs.length);
    expect(Math.abs(share - 0.1)).toBeLessThan(0.01);
    expect(Math.abs(quantileOf(candidate.coldMs, 0.5) / (5 * MEDIAN_MS) - 1)).toBeLessThan(0.05);
    expect(Math.abs(quantileOf(candidate.warmMs, 0.95) / quantileOf(stable.warmMs, 0.95) - 1)).toBeLessThan(0.04);
  });

  it("carry noise with correlation 0.9 from second to second, shared by both arms or each arm's own", () => {
    for (const [row, isShared] of [
      ["ar1-shared@100", true],
      ["ar1-own-25@100", false],
    ] as const) {
      const noise = latencyNoise(scenarioOf(row), 2);
      const path = Array.from({ length: 20_000 }, (_, atS) => noise.candidate(atS) as number);
      const variance = path.reduce((sum, value) => sum + value ** 2, 0) / path.length;
      const lagged = path.slice(1).reduce((sum, value, i) => sum + value * (path[i] as number), 0) / path.length;
      expect(Math.sqrt(variance)).toBeCloseTo(0.25, 1);
      expect(Math.abs(lagged / variance - 0.9)).toBeLessThan(0.02);
      expect(noise.stable(100) === noise.candidate(100)).toBe(isShared);
    }
  });

  it("grow a leak linearly over an hour", () => {
    const { candidate } = scenarioOf("leak-errors@10").errorRate;
    for (const [atS, rate] of [
      [0, 0.005],
      [1_800, 0.0275],
      [3_600, 0.05],
      [9_000, 0.05],
    ] as const) {
      expect(candidate(atS)).toBeCloseTo(rate, 12);
    }
  });

  it("draw the same law as the engine's own world: arrivals, failures and p95 of both arms", () => {
    const [share, seconds] = [0.25, 2_000];
    const mine = draw("p95-40@100", share, seconds, 4);
    const world = worldOf(scenarioOf("p95-40@100"), 4);
    const random = randomStream(4);
    let bins: SparseBins = [];
    let [requests, failures] = [0, 0];
    for (let atS = 0; atS < seconds; atS++) {
      const { candidate } = drawSecond(world, share * 10_000, atS, random).arms;
      bins = mergeBins(bins, candidate.warm);
      requests += candidate.requests;
      failures += candidate.failures;
    }
    expect(Math.abs(mine.candidate.requests / requests - 1)).toBeLessThan(0.02);
    expect(Math.abs(mine.candidate.failures - failures)).toBeLessThan(4 * Math.sqrt(2 * failures));
    expect(Math.abs(quantileOf(mine.candidate.warmMs, 0.95) / (quantileOfBins(bins, 0.95) as number) - 1)).toBeLessThan(
      0.03,
    );
  });
});

describe("policies on traces", () => {
  it("rehearse the default ladder, planned from a document: 1, 5, 10, 25 and 50 %, then 100 % watched", () => {
    const { stages } = planOurs(false) as { stages: readonly { kind: string; candidateBp?: number }[] };
    expect(stages.map(({ kind, candidateBp }) => candidateBp ?? kind)).toEqual([
      100,
      500,
      1_000,
      2_500,
      5_000,
      "watch",
    ]);
  });

  it("take a dead candidate back under every policy, ours with the fewest requests exposed", () => {
    const dead = scenarioOf("errors-100@100");
    const ours = runOurs(dead, 1, 14_400);
    expect(ours.outcome).toBe("abort");
    for (const peer of PEERS) {
      const theirs = runPeer(peer, dead, 1, 14_400);
      expect([peer.id, theirs.outcome]).toEqual([peer.id, "abort"]);
      expect(ours.exposed).toBeLessThan(theirs.exposed);
    }
  });

  it("hold under ours, and abort under every peer, when every metric is missing", () => {
    const missing = scenarioOf("missing@10");
    expect(runOurs(missing, 1, 14_400).outcome).toBe("hold");
    for (const peer of PEERS) expect([peer.id, runPeer(peer, missing, 1, 14_400).outcome]).toEqual([peer.id, "abort"]);
  });

  it("stop a coverage drop of 0.30 before the first user under ours", () => {
    expect(runOurs(scenarioOf("gold-30@10"), 1, 14_400)).toMatchObject({ outcome: "abort", exposed: 0 });
  });

  it("name every row once", () => {
    const ids = SCENARIOS.map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
