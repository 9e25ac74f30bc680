import { assert } from "../assert.ts";
import { ALL_NAMES, type UnitName } from "../assign/unit-name.ts";

/** A set of units as plain JSON. */
export interface UnitNamesSnapshot {
  readonly below: number;
  readonly dropped: number;
  readonly names: readonly number[];
}

/** Units a set keeps: as JSON some 180 kB. */
const UNITS_MAX = 16_384;

/**
 * A bounded set of units. Beyond its limit the units with the highest names leave, whatever their arm: what stays is
 * the part of both arms' units below one threshold, so that forgetting favours no arm. (A limit for each arm would: in
 * an outage common to both, the larger arm forgets and the smaller one does not.) Grows in place: copying it with every
 * window would cost more than all gates.
 * @source decision-policy.md "Units, not requests", bounded without bias
 */
export class UnitNames {
  readonly #names: Set<number>;
  readonly #limit: number;
  #below: number;
  #dropped: number;

  constructor(
    limit: number = UNITS_MAX,
    { below, dropped, names }: UnitNamesSnapshot = { below: ALL_NAMES, dropped: 0, names: [] },
  ) {
    assert(limit >= 1, `a set of units holds at least one: ${limit}`);
    this.#limit = limit;
    this.#below = below;
    this.#dropped = dropped;
    this.#names = new Set(names);
  }

  /** Names below this are kept; 2^32 while nothing was forgotten. Never rises. */
  get below(): number {
    return this.#below;
  }

  get size(): number {
    return this.#names.size;
  }

  /** Units that left or were turned away since the threshold began to fall. */
  get dropped(): number {
    return this.#dropped;
  }

  has(name: UnitName): boolean {
    return this.#names.has(name);
  }

  /** `new` once for each unit below the threshold; `dropped` for one beyond it, which is not remembered. */
  add(name: UnitName): "new" | "known" | "dropped" {
    if (name >= this.#below) {
      this.#dropped++;
      return "dropped";
    }
    if (this.#names.has(name)) return "known";
    this.#names.add(name);
    if (this.#names.size > this.#limit) this.#lower();
    return "new";
  }

  /** Forgets the units at or above a threshold. */
  keepBelow(below: number): void {
    if (below >= this.#below) return;
    this.#below = below;
    for (const name of this.#names) {
      if (name < below) continue;
      this.#names.delete(name);
      this.#dropped++;
    }
  }

  snapshot(): UnitNamesSnapshot {
    return { below: this.#below, dropped: this.#dropped, names: [...this.#names].sort((a, b) => a - b) };
  }

  /** Halves the threshold until a tenth of the limit is free, so that the work is not repeated with the next unit. */
  #lower(): void {
    while (this.#names.size > 0.9 * this.#limit) this.keepBelow(this.#below / 2);
  }
}
