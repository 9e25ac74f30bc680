import { type ByArm, SERVING_ARMS, type ServingArm } from "../arm.ts";
import { assert } from "../assert.ts";
import { ALL_NAMES, type UnitName } from "../assign/unit-name.ts";
import { addUnit, noUnits, type UnitSums } from "./unit-sums.ts";

/** What one arm answered one unit: evidence requests and failures, warm answers and slow ones among those. */
export interface UnitCounts {
  readonly requests: number;
  readonly failures: number;
  readonly warm: number;
  readonly slow: number;
}

/** A unit with failed requests. */
export interface FailingUnit extends Pick<UnitCounts, "requests" | "failures"> {
  readonly name: UnitName;
}

/** Which event of a unit is counted. */
export type UnitMeasure = "failures" | "slow";

/** What earlier requests of a unit showed. */
export interface UnitPlace {
  /**
   * Its place in the order of assignment, as shares: at a share of `low` it was on stable, at `high` on the candidate.
   * 0 and 1 when it was not seen.
   */
  readonly low: number;
  readonly high: number;
}

/** Requests of one unit answered by one arm, all routed at the same share. */
export interface UnitRequests extends UnitCounts {
  readonly name: UnitName;
  readonly arm: ServingArm;
  /** Share of the document that routed them, 0..1. */
  readonly share: number;
}

/** A table as plain JSON; of each unit its name, low and high in basis points, and stable's and candidate's counts. */
export interface UnitTableSnapshot {
  readonly below: number;
  readonly units: readonly (readonly number[])[];
}

type MutableCounts = { -readonly [Key in keyof UnitCounts]: number };

interface Row {
  low: number;
  high: number;
  readonly stable: MutableCounts;
  readonly candidate: MutableCounts;
}

/** Units a table keeps: enough for an interval, few enough for a record. @source decision-policy.md, few users */
const TABLE_UNITS_MAX = 8_192;

const UNSEEN: UnitPlace = { low: 0, high: 1 };

/** Sampled units of both arms under one falling threshold (see `UnitNames`). Grows in place. */
export class UnitTable {
  readonly #rows = new Map<number, Row>();
  readonly #sums = {
    stable: { failures: noUnits(), slow: noUnits() },
    candidate: { failures: noUnits(), slow: noUnits() },
  };
  readonly #limit: number;
  #below: number;

  constructor(limit: number = TABLE_UNITS_MAX, snapshot: UnitTableSnapshot = { below: ALL_NAMES, units: [] }) {
    assert(limit >= 1, `a table of units holds at least one: ${limit}`);
    this.#limit = limit;
    this.#below = snapshot.below;
    for (const [name = 0, low = 0, high = 0, ...counts] of snapshot.units) {
      const [stable, candidate] = [countsOf(counts.slice(0, 4)), countsOf(counts.slice(4))];
      this.#rows.set(name, { low: low / 10_000, high: high / 10_000, stable, candidate });
      this.#count("stable", stable, 1);
      this.#count("candidate", candidate, 1);
    }
  }

  /** True while every unit seen is in the table. */
  get isComplete(): boolean {
    return this.#below === ALL_NAMES;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Where a unit is known to stand; a copy, so that it stays what was known before its next request. */
  placeOf(name: UnitName): UnitPlace {
    const row = this.#rows.get(name);
    return row === undefined ? UNSEEN : { low: row.low, high: row.high };
  }

  /** What both arms answered one unit; null for one that is not in the table. */
  seenOf(name: UnitName): ByArm<UnitCounts> | null {
    const row = this.#rows.get(name);
    return row === undefined ? null : { stable: { ...row.stable }, candidate: { ...row.candidate } };
  }

  /** The units whose requests failed most often on an arm, most first. */
  failing(arm: ServingArm, most: number): readonly FailingUnit[] {
    const found: FailingUnit[] = [];
    for (const [name, row] of this.#rows) {
      const { requests, failures } = row[arm];
      if (failures > 0) found.push({ name: name as UnitName, requests, failures });
    }
    return found.sort((a, b) => b.failures - a.failures || a.name - b.name).slice(0, most);
  }

  /** Whether any unit had a chance of this event. */
  tells(measure: UnitMeasure): boolean {
    return this.#sums.stable[measure].clusters > 0 || this.#sums.candidate[measure].clusters > 0;
  }

  /** Units that an arm answered; of more than the table holds, what those under its threshold make probable. */
  unitsOf(arm: ServingArm): number {
    return Math.round((this.#sums[arm].failures.clusters * ALL_NAMES) / this.#below);
  }

  /** What the units an arm answered add up to. */
  sums(arm: ServingArm, measure: UnitMeasure): Readonly<UnitSums> {
    return this.#sums[arm][measure];
  }

  /** Takes requests in. A unit at or above the threshold is left out, whatever its arm. */
  record({ name, arm, share, requests, failures, warm, slow }: UnitRequests): void {
    if (name >= this.#below) return;
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { low: 0, high: 1, stable: countsOf([]), candidate: countsOf([]) };
      this.#rows.set(name, row);
    }
    if (arm === "stable") row.low = Math.max(row.low, share);
    else row.high = Math.min(row.high, share);
    const counts = row[arm];
    this.#count(arm, counts, -1);
    counts.requests += requests;
    counts.failures += failures;
    counts.warm += warm;
    counts.slow += slow;
    this.#count(arm, counts, 1);
    while (this.#rows.size > this.#limit) this.keepBelow(this.#below / 2);
  }

  /** Forgets the units at or above a threshold, for this arm as for the other; never the other way. */
  keepBelow(below: number): void {
    if (below >= this.#below) return;
    this.#below = below;
    for (const [name, row] of this.#rows) {
      if (name < below) continue;
      for (const arm of SERVING_ARMS) this.#count(arm, row[arm], -1);
      this.#rows.delete(name);
    }
  }

  snapshot(): UnitTableSnapshot {
    const units = [...this.#rows].map(([name, { low, high, stable, candidate }]) => {
      const [lowBp, highBp] = [Math.round(low * 10_000), Math.round(high * 10_000)];
      return [name, lowBp, highBp, ...numbersOf(stable), ...numbersOf(candidate)];
    });
    return { below: this.#below, units };
  }

  #count(arm: ServingArm, { requests, failures, warm, slow }: UnitCounts, sign: 1 | -1): void {
    const { [arm]: sums } = this.#sums;
    if (requests > 0) addUnit(sums.failures, requests, failures, sign);
    if (warm > 0) addUnit(sums.slow, warm, slow, sign);
  }
}

function countsOf([requests = 0, failures = 0, warm = 0, slow = 0]: readonly number[]): MutableCounts {
  return { requests, failures, warm, slow };
}

function numbersOf({ requests, failures, warm, slow }: UnitCounts): readonly number[] {
  return [requests, failures, warm, slow];
}

/**
 * Probability that a unit is on the candidate at a share, from what its earlier requests showed and nothing else. It is
 * exact under "the release makes no difference", because then a unit's place in the order is independent of what it
 * does.
 */
export function shareOfUnit({ low, high }: UnitPlace, share: number): number {
  if (share <= low) return 0;
  if (share >= high) return 1;
  return (share - low) / (high - low);
}
