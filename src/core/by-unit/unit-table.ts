import type { ServingArm } from "../arm.ts";
import { assert } from "../assert.ts";
import { ALL_NAMES, type UnitName } from "./unit-name.ts";

/** What one arm answered one unit: evidence requests, and how many of them had the event in question. */
export interface UnitTally {
  readonly requests: number;
  readonly events: number;
}

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
export interface UnitRequests extends UnitTally {
  readonly name: UnitName;
  readonly arm: ServingArm;
  /** Share of the document that routed them, 0..1. */
  readonly share: number;
}

/** A table as plain JSON: six numbers a unit (name, low, high in basis points; and both arms' requests and events). */
export interface UnitTableSnapshot {
  readonly below: number;
  readonly units: readonly (readonly [number, number, number, number, number, number, number])[];
}

interface Row {
  low: number;
  high: number;
  readonly stable: { requests: number; events: number };
  readonly candidate: { requests: number; events: number };
}

/** Units a table keeps: enough for an interval, few enough for a record. @source decision-policy.md, few users */
const TABLE_UNITS_MAX = 20_000;

const UNSEEN: UnitPlace = { low: 0, high: 1 };

/** Sampled units of both arms under one falling threshold (see `UnitNames`). Grows in place. */
export class UnitTable {
  readonly #rows = new Map<number, Row>();
  readonly #limit: number;
  #below: number;

  constructor(limit: number = TABLE_UNITS_MAX, snapshot: UnitTableSnapshot = { below: ALL_NAMES, units: [] }) {
    assert(limit >= 1, `a table of units holds at least one: ${limit}`);
    this.#limit = limit;
    this.#below = snapshot.below;
    for (const [name, low, high, sr, se, cr, ce] of snapshot.units)
      this.#rows.set(name, {
        low: low / 10_000,
        high: high / 10_000,
        stable: { requests: sr, events: se },
        candidate: { requests: cr, events: ce },
      });
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

  /** What an arm answered each unit it answered. */
  *tallies(arm: ServingArm): Iterable<UnitTally> {
    for (const row of this.#rows.values()) if (row[arm].requests > 0) yield row[arm];
  }

  /** Takes requests in. A unit at or above the threshold is left out, whatever its arm. */
  record({ name, arm, share, requests, events }: UnitRequests): void {
    if (name >= this.#below) return;
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { low: 0, high: 1, stable: { requests: 0, events: 0 }, candidate: { requests: 0, events: 0 } };
      this.#rows.set(name, row);
    }
    if (arm === "stable") row.low = Math.max(row.low, share);
    else row.high = Math.min(row.high, share);
    row[arm].requests += requests;
    row[arm].events += events;
    while (this.#rows.size > this.#limit) this.#halve();
  }

  snapshot(): UnitTableSnapshot {
    const units = [...this.#rows].map(([name, { low, high, stable, candidate }]) => {
      const [lowBp, highBp] = [Math.round(low * 10_000), Math.round(high * 10_000)];
      return [name, lowBp, highBp, stable.requests, stable.events, candidate.requests, candidate.events] as const;
    });
    return { below: this.#below, units };
  }

  #halve(): void {
    this.#below /= 2;
    for (const name of this.#rows.keys()) if (name >= this.#below) this.#rows.delete(name);
  }
}

/**
 * Probability that a unit is on the candidate at a share, from what its earlier requests showed and nothing else. It is
 * exact under "the release makes no difference", because then a unit's place in the order is independent of what it does.
 */
export function shareOfUnit({ low, high }: UnitPlace, share: number): number {
  if (share <= low) return 0;
  if (share >= high) return 1;
  return (share - low) / (high - low);
}
