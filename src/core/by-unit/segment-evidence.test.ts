import { describe, expect, it } from "vitest";
import { crowdTraffic } from "../rehearsal/crowd-traffic.ts";
import type { Population } from "../rehearsal/population.ts";
import { classesOf } from "../observe/observe.ts";
import { lnSumExp } from "../stats/special.ts";
import { randomStream } from "../stats/random.ts";
import { bp } from "../unit.ts";
import { SegmentLog } from "../window/segment-log.ts";
import type { SegmentWindow } from "../window/window.ts";
import { SegmentEvidence } from "./segment-evidence.ts";
import { UnitEvidence } from "./unit-evidence.ts";

const LADDER = [100, 500, 1_000, 2_500, 5_000];
const TENANTS = 50;
/** 50 tenants of 60 users each, three languages; a tenant's users are as active as others. */
const CROWD = {
  users: 3_000,
  zipf: 0.8,
  requestsPerSecond: 50,
  trait: () => 0.01,
  segments: ({ rank }: { readonly rank: number }) => [`tenant=t${rank % TENANTS}`, `locale=l${rank % 3}`],
} as const;

interface Found {
  /** Largest weighted sum at any second, and the one without comparing rates. */
  readonly logE: number;
  readonly unguarded: number;
  /** The worst segment when the sum first reached 1/0.001; null when it never did. */
  readonly named: string | null;
  readonly atBp: number | null;
}

function watch(population: Population, seed: number, holdS = 90): Found {
  const [traffic, random, units] = [crowdTraffic(population), randomStream(seed), new UnitEvidence()];
  const found = { logE: Number.NEGATIVE_INFINITY, unguarded: Number.NEGATIVE_INFINITY };
  let second = 0;
  for (const bp of LADDER)
    for (let atS = 0; atS < holdS; atS++) {
      const block = traffic(bp, ++second, random);
      if (block.units !== undefined) units.take(block.units, classesOf(block.arms));
      found.unguarded = Math.max(found.unguarded, units.segments.logE);
      if (units.segments.logE <= found.logE) continue;
      const harmed = units.segments.harmed();
      found.logE = Math.max(found.logE, lnSumExp(harmed.map(({ logE }) => logE)));
      if (found.logE >= Math.log(1_000)) return { ...found, named: harmed[0]?.label ?? null, atBp: bp };
    }
  return { ...found, named: null, atBp: null };
}

const runs = (count: number, population: Population, holdS?: number) =>
  Array.from({ length: count }, (_, seed) => watch(population, seed + 1, holdS));
const share = (found: readonly Found[], is: (one: Found) => boolean) => found.filter(is).length / found.length;

type Seen = readonly (readonly [name: number, failures: number])[];

/** A window of one segment: each unit with one request. */
function windowOf({ stable, candidate }: { readonly stable: Seen; readonly candidate: Seen }): SegmentWindow {
  const lists = (seen: Seen) => ({
    rows: seen.flatMap(([name, failures]) => [name, 0, 1, failures]),
    failing: seen.filter(([, failures]) => failures > 0).flatMap(([name]) => [name, 1_000, 0]),
  });
  const arms = { stable: lists(stable), candidate: lists(candidate) };
  return { below: 2 ** 32, failingBelow: 2 ** 32, labels: ["tenant=a"], arms };
}

describe("evidence by segment", () => {
  it("reaches 1/0.05 in at most 5 % of healthy rollouts with 53 segments, wherever failures gather", () => {
    const even: Population = { ...CROWD, failure: () => 0.01 };
    // One tenant fails half of its requests on both arms.
    const sickTenant: Population = { ...CROWD, failure: ({ rank }) => (rank % TENANTS === 7 ? 0.5 : 0.005) };
    const badUsers: Population = { ...CROWD, trait: (random) => (random() < 0.02 ? 0.5 : 0), failure: (p) => p.trait };
    for (const population of [even, sickTenant, badUsers]) {
      const found = runs(25, population, 30);
      expect(share(found, ({ logE }) => logE >= Math.log(20))).toBeLessThanOrEqual(0.05);
      expect(share(found, ({ unguarded }) => unguarded >= Math.log(20))).toBeLessThanOrEqual(0.12);
    }
  });

  it("finds and names the one tenant of 2 % of the users whose requests fail on the candidate", () => {
    const harm: Population = {
      ...CROWD,
      failure: ({ rank }, arm) => (rank % TENANTS === 7 && arm === "candidate" ? 1 : 0.005),
    };
    const found = runs(10, harm);
    expect(found.map(({ named }) => named)).toEqual(Array(10).fill("tenant=t7"));
    expect(share(found, ({ atBp }) => (atBp ?? 10_000) <= 2_500)).toBeGreaterThanOrEqual(0.9);
  });

  it("says nothing where a tenant's users return twice as often to the candidate and fail as on stable", () => {
    const returning: Population = {
      ...CROWD,
      failure: ({ rank }) => (rank % TENANTS === 7 ? 0.2 : 0.01),
      returns: (arm) => (arm === "candidate" ? 2 : 1),
    };
    const found = runs(10, returning, 60);
    expect(share(found, ({ named }) => named !== null)).toBe(0);
  });

  it("proves nothing about a segment that one arm alone has", () => {
    const units = new UnitEvidence();
    for (let name = 0; name < 40; name++) {
      const arms = {
        stable: { rows: [], failing: [] },
        candidate: { rows: [name, 0, 1, 1], failing: [name, 500, 0] },
      };
      const segments = { below: 2 ** 32, failingBelow: 2 ** 32, labels: ["route=/v2"], arms };
      const none = { stable: { rows: [], failing: [] }, candidate: { rows: [], failing: [] } };
      units.take({ below: 2 ** 32, failingBelow: 2 ** 32, arms: none, segments }, { stable: [], candidate: [] });
    }
    expect(units.segments.logE).toBeGreaterThan(Math.log(1_000));
    expect(units.segments.harmed()).toEqual([]);
  });

  it("finds the few who fail persistently among many who fail once by accident", () => {
    const segments = new SegmentEvidence();
    for (let round = 0; round < 10; round++) {
      // Six users on the candidate fail all their requests, 54 on stable one of ten each: in turn, so most come first.
      const candidate = Array.from({ length: 6 }, (_, at) => at);
      const accident = Array.from({ length: 6 }, (_, at) => 100 + round * 6 + at);
      segments.take(
        windowOf({
          stable: Array.from({ length: 60 }, (_, at) => [100 + at, accident.includes(100 + at) ? 1 : 0]),
          candidate: round < 5 ? [] : candidate.map((name) => [name, 1]),
        }),
        () => null,
      );
    }
    const [found] = segments.harmed();
    expect(found?.label).toBe("tenant=a");
    expect(found?.units).toEqual({ stable: 60, candidate: 6 });
    expect(found?.logE).toBeGreaterThan(Math.log(1_000));
  });

  it("counts a unit once that several gateways saw fail, and one that a window lists twice", () => {
    const [one, two] = [new SegmentEvidence(), new SegmentEvidence()];
    const failing = windowOf({ stable: [[50, 1]], candidate: [1, 2, 3, 4].map((name) => [name, 1]) });
    // All were on stable at 5 % before; after the first window it is known who is where at 10 %.
    const before = () => ({ low: 0.05, high: 1 });
    one.take(failing, before);
    const twice = {
      ...failing,
      arms: { ...failing.arms, candidate: { rows: [], failing: [...failing.arms.candidate.failing, 1, 1_000, 0] } },
    };
    two.take(twice, before);
    two.take(failing, (name) => (name === 50 ? { low: 0.1, high: 1 } : { low: 0.05, high: 0.1 }));
    expect(two.logE).toBeCloseTo(one.logE, 10);
  });

  it("follows 100 segments at most of however many, and puts later ones with the rest", () => {
    const log = new SegmentLog();
    for (let name = 0; name < 20_000; name++)
      log.record("stable", name * 200_000, bp(1_000), [`tenant=t${name}`, `route=/r${name % 7}`], name % 3 === 0);
    const window = log.drain();
    expect(window?.labels.length).toBeLessThanOrEqual(42);
    expect(window?.labels).toContain("tenant:other");
    for (const arm of [window?.arms.stable, window?.arms.candidate]) {
      expect((arm?.rows.length ?? 0) / 4).toBeLessThanOrEqual(1_000);
      expect((arm?.failing.length ?? 0) / 3).toBeLessThanOrEqual(1_000);
    }
    const segments = new SegmentEvidence();
    for (let at = 0; at < 50; at++) {
      const labels = Array.from({ length: 40 }, (_, place) => `tenant=t${at * 40 + place}`);
      segments.take({ ...windowOf({ stable: [[at, 1]], candidate: [] }), labels }, () => null);
    }
    expect(segments.size).toBe(97);
  });

  it("is as it was after a restart", () => {
    const harm: Population = { ...CROWD, failure: (_, arm) => (arm === "candidate" ? 0.5 : 0.01) };
    const [traffic, random, units] = [crowdTraffic(harm), randomStream(3), new UnitEvidence()];
    for (let atS = 1; atS <= 30; atS++) {
      const block = traffic(1_000, atS, random);
      if (block.units !== undefined) units.take(block.units, classesOf(block.arms));
    }
    const again = new UnitEvidence(JSON.parse(JSON.stringify(units)));
    expect(again.segments.harmed()).toEqual(units.segments.harmed());
    expect(again.segments.logE).toBe(units.segments.logE);
  });
});
