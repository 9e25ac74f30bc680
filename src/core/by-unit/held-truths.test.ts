import { describe, expect, it } from "vitest";
import { drawCrowd, type Population, type PersonRequest } from "../rehearsal/population.ts";
import { randomStream } from "../stats/random.ts";
import { clusterDifference, isRateHigher } from "./cluster-difference.ts";
import { UnitFuse } from "./unit-fuse.ts";
import type { UnitName } from "../assign/unit-name.ts";
import { UnitTable } from "./unit-table.ts";

const PROOF = Math.log(1_000);
const LADDER = [0.01, 0.05, 0.1, 0.25, 0.5];

interface Outcome {
  /** Second of the stop, or null. */
  readonly stoppedAtS: number | null;
  /** The fuse spoke, and the guard did not. */
  readonly wasGuarded: boolean;
}

class Evidence {
  readonly table = new UnitTable();
  fuse = new UnitFuse();

  take({ person: { name }, arm, failed }: PersonRequest, share: number): void {
    const before = this.table.isComplete ? this.table.placeOf(name) : null;
    if (failed) this.fuse.take({ name, arm, share, before });
    this.table.record({ name, arm, share, requests: 1, failures: failed ? 1 : 0, warm: 0, slow: 0 });
  }
}

function run(
  population: Population,
  seed: number,
  options: {
    readonly ladder?: readonly number[];
    readonly holdS?: number;
    readonly evidence?: () => Evidence;
    readonly guard?: boolean;
  } = {},
): Outcome {
  const { ladder = LADDER, holdS = 120, guard = true } = options;
  const crowd = drawCrowd(population, randomStream(seed));
  const evidence = (options.evidence ?? (() => new Evidence()))();
  let wasGuarded = false;
  let atS = 0;
  for (const share of ladder)
    for (let second = 0; second < holdS; second++) {
      atS++;
      for (const request of crowd.second(share, atS)) evidence.take(request, share);
      if (evidence.fuse.logE < PROOF) continue;
      if (!guard || isRateHigher(clusterDifference(evidence.table, "failures"))) return { stoppedAtS: atS, wasGuarded };
      wasGuarded = true;
    }
  return { stoppedAtS: null, wasGuarded };
}

function share(outcomes: readonly Outcome[], matches: (outcome: Outcome) => boolean): number {
  return outcomes.filter(matches).length / outcomes.length;
}
const isStopped = ({ stoppedAtS }: Outcome) => stoppedAtS !== null;

const BASE = { users: 3_000, zipf: 0.8, requestsPerSecond: 50 } as const;
/** 1 % of the users cause the failures: half of their requests fail, whatever the arm. */
const FEW_BAD: Population = {
  ...BASE,
  trait: (random) => (random() < 0.01 ? 0.5 : 0),
  failure: ({ trait }) => trait,
};
const even = (rate: number, candidateRate = rate): Population => ({
  ...BASE,
  trait: () => rate,
  failure: (_, arm) => (arm === "candidate" ? candidateRate : rate),
});
const runs = (count: number, population: Population, options?: Parameters<typeof run>[2]): Outcome[] =>
  Array.from({ length: count }, (_, seed) => run(population, seed + 1, options));

describe("evidence by unit holds where requests hang together by user", () => {
  it("stops at most 1 of 60 healthy rollouts whose failures follow 1 % of the users", () => {
    expect(share(runs(60, FEW_BAD), isStopped)).toBeLessThanOrEqual(1 / 60);
  });

  it("stops no more when those users return twice or half as often on the candidate", () => {
    for (const factor of [2, 0.5]) {
      const returning = { ...FEW_BAD, returns: (arm: string) => (arm === "candidate" ? factor : 1) };
      expect(share(runs(30, returning), isStopped)).toBe(0);
    }
  });

  it("is misled by users who return twice as often when the rates are not compared", () => {
    const returning = { ...even(0.02), returns: (arm: string) => (arm === "candidate" ? 2 : 1) };
    const unguarded = runs(20, returning, { guard: false });
    expect(share(unguarded, isStopped)).toBeGreaterThan(0.15);
    expect(share(runs(20, returning), isStopped)).toBe(0);
  });

  it("finds +1.5 points of failures among 3 000 users", () => {
    const found = runs(10, even(0.005, 0.02), { holdS: 240 });
    expect(share(found, isStopped)).toBe(1);
  });

  it("finds a dead release among 30 users by those it saw on stable before", () => {
    const few = { ...even(0.005, 1), users: 30, requestsPerSecond: 10 };
    expect(share(runs(40, few), isStopped)).toBeGreaterThanOrEqual(0.95);
    const firstOnly = () =>
      new (class extends Evidence {
        override take(request: PersonRequest, at: number): void {
          if (request.failed) this.fuse.take({ name: request.person.name, arm: request.arm, share: at, before: null });
        }
      })();
    expect(share(runs(40, few, { evidence: firstOnly, guard: false }), isStopped)).toBeLessThan(0.5);
  });

  it("is misled by counting every failure of a unit instead of its first", () => {
    let counter = 0;
    const everyFailure = () =>
      new (class extends Evidence {
        override take({ arm, failed }: PersonRequest, at: number): void {
          // Each failure under a name of its own.
          if (failed) this.fuse.take({ name: counter++ as UnitName, arm, share: at, before: null });
        }
      })();
    expect(share(runs(100, FEW_BAD, { evidence: everyFailure, guard: false }), isStopped)).toBeGreaterThan(0.03);
  });

  it("is misled by the share in force when a request ended instead of the one that routed it", () => {
    // Requests that were routed at 50 % and ended after the share was put back to 1 %.
    const late = () =>
      new (class extends Evidence {
        override take(request: PersonRequest, at: number): void {
          super.take(request, at === 0.5 ? 0.01 : at);
        }
      })();
    expect(share(runs(10, even(0.02), { evidence: late, guard: false }), isStopped)).toBe(1);
  });

  it("is misled in an outage common to both arms by a limit for each arm instead of one threshold", () => {
    const outage: Population = { ...even(0), failure: (_, _arm, atS) => (atS > 300 ? 0.5 : 0) };
    const [names, perArm] = [{ stable: 0, candidate: 0 }, 64];
    const capped = () => {
      names.stable = 0;
      names.candidate = 0;
      const known = new Set<number>();
      return new (class extends Evidence {
        override take({ person: { name }, arm, failed }: PersonRequest, at: number): void {
          if (!failed || known.has(name) || names[arm] >= perArm) return;
          known.add(name);
          names[arm]++;
          this.fuse.take({ name, arm, share: at, before: null });
        }
      })();
    };
    expect(share(runs(10, outage, { evidence: capped, guard: false }), isStopped)).toBe(1);
    expect(share(runs(10, outage), isStopped)).toBe(0);
  });
});
