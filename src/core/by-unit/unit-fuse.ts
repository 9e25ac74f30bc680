import type { ServingArm } from "../arm.ts";
import { type AllocationEProcess, foldAllocation, NO_ALLOCATIONS } from "../stats/allocation-e-process.ts";
import { lnAverageEValue } from "../stats/multiple.ts";
import type { UnitName } from "../assign/unit-name.ts";
import { UnitNames, type UnitNamesSnapshot } from "./unit-names.ts";
import { shareOfUnit, type UnitPlace } from "./unit-table.ts";

/** An event (a failure, a new class) of one unit that was drawn: not pinned, allowed, locked or without a unit. */
export interface UnitEvent {
  readonly name: UnitName;
  readonly arm: ServingArm;
  /** Share of the document by which the request was routed, 0..1; not of the one in force when it ended. */
  readonly share: number;
  /** What was known of the unit before this request; null where the table does not hold every unit. */
  readonly before: UnitPlace | null;
}

export interface UnitFuseSnapshot {
  readonly seen: UnitNamesSnapshot;
  readonly first: AllocationEProcess;
  readonly moved: AllocationEProcess;
}

/**
 * Evidence that a bad event prefers the candidate's units, each unit counted once: valid however a unit's events hang
 * together. Lives at most as long as the salt that drew the units, and begins and ends whole. Restarted with its set
 * kept, it would bet on the units that had not yet failed, and those are not as they were drawn.
 * @source decision-policy.md "Units, not requests"
 */
export class UnitFuse {
  readonly #seen: UnitNames;
  /** First events of units, at the share that routed them. */
  #first: AllocationEProcess;
  /** Events of units that were seen on stable before their share came up; the only test that few units leave. */
  #moved: AllocationEProcess;

  /** @param limit units remembered; beyond it a part of both arms' is */
  constructor(snapshot?: UnitFuseSnapshot, limit?: number) {
    this.#seen = new UnitNames(limit, snapshot?.seen);
    this.#first = snapshot?.first ?? NO_ALLOCATIONS;
    this.#moved = snapshot?.moved ?? NO_ALLOCATIONS;
  }

  take({ name, arm, share, before }: UnitEvent): void {
    if (before !== null) this.#moved = foldAllocation(this.#moved, arm, shareOfUnit(before, share));
    if (this.#seen.add(name) === "new") this.#first = foldAllocation(this.#first, arm, share);
  }

  /** Whether a unit's event has been counted. */
  has(name: UnitName): boolean {
    return this.#seen.has(name);
  }

  /** Forgets which units at or above a threshold had the event; their later ones are not counted. */
  keepBelow(below: number): void {
    this.#seen.keepBelow(below);
  }

  /** ln of the e-value: the average of both tests, which is an e-value whatever they have in common. */
  get logE(): number {
    return lnAverageEValue([this.#first.logE, this.#moved.logE]);
  }

  /** Units that had the event, by the arm their first one fell on. */
  get units(): { readonly stable: number; readonly candidate: number } {
    return { stable: this.#first.stable, candidate: this.#first.candidate };
  }

  snapshot(): UnitFuseSnapshot {
    return { seen: this.#seen.snapshot(), first: this.#first, moved: this.#moved };
  }
}
