import { type ByArm, SERVING_ARMS } from "../arm.ts";
import type { UnitName } from "../assign/unit-name.ts";
import { isUnitEvent, type Signal } from "../window/signals.ts";
import { SIGNAL_MET_ROW, SIGNAL_ROW, type SignalWindow } from "../window/window.ts";
import { type ClusterDifference, clusterDifference } from "./cluster-difference.ts";
import { UnitFuse, type UnitFuseSnapshot } from "./unit-fuse.ts";
import { type UnitPlace, UnitTable, type UnitTableSnapshot } from "./unit-table.ts";

/** Evidence of signals as plain JSON. */
export type SignalEvidenceSnapshot = readonly (readonly [Signal, UnitFuseSnapshot, UnitTableSnapshot])[];

/** What a gate may ask of it. */
export interface SignalView {
  /** ln of the e-value that an event prefers the candidate's units, each counted once; 0 for a signal nobody told. */
  logE(signal: Signal): number;
  /** Units that met an event, by the arm their first one fell on. */
  units(signal: Signal): ByArm<number>;
  /** Means of both arms averaged over units; null while an arm has fewer than two that were told of it. */
  difference(signal: Signal): ClusterDifference | null;
}

interface Followed {
  readonly fuse: UnitFuse;
  /** Answers stand for requests, and the sum of what they told for failures. */
  readonly table: UnitTable;
}

/** Units remembered with an event, and units whose means are compared, for each signal. */
const MET_MAX = 4_096;
const SAMPLED_MAX = 4_096;

/**
 * One fuse and one table a signal, with the same bets and bounds as failures have. Grows in place.
 * @source decision-policy.md "Units, not requests"
 */
export class SignalEvidence implements SignalView {
  readonly #signals: Map<Signal, Followed>;

  constructor(snapshot: SignalEvidenceSnapshot = []) {
    this.#signals = new Map(snapshot.map(([signal, fuse, table]) => [signal, newFollowed(fuse, table)]));
  }

  logE(signal: Signal): number {
    return this.#signals.get(signal)?.fuse.logE ?? 0;
  }

  units(signal: Signal): ByArm<number> {
    return this.#signals.get(signal)?.fuse.units ?? { stable: 0, candidate: 0 };
  }

  difference(signal: Signal): ClusterDifference | null {
    const followed = this.#signals.get(signal);
    return followed === undefined ? null : clusterDifference(followed.table, "failures");
  }

  /** @param placeOf what was known of a unit before this window */
  take({ below, metBelow, names, arms }: SignalWindow, placeOf: (name: UnitName) => UnitPlace | null): void {
    const followed = names.map((signal) => this.#open(signal));
    for (const { fuse, table } of followed) {
      table.keepBelow(below);
      fuse.keepBelow(metBelow);
    }
    for (const arm of SERVING_ARMS) {
      const { rows, met } = arms[arm];
      for (let at = 0; at < met.length; at += SIGNAL_MET_ROW) {
        const [unit = 0, shareBp = 0, place = 0] = met.slice(at, at + SIGNAL_MET_ROW);
        const [name, signal] = [unit as UnitName, names[place]];
        if (signal === undefined || !isUnitEvent(signal)) continue;
        followed[place]?.fuse.take({ name, arm, share: shareBp / 10_000, before: placeOf(name) });
      }
      const counted = { arm, share: arm === "candidate" ? 1 : 0, warm: 0, slow: 0 };
      for (let at = 0; at < rows.length; at += SIGNAL_ROW) {
        const [name = 0, place = 0, requests = 0, failures = 0] = rows.slice(at, at + SIGNAL_ROW);
        followed[place]?.table.record({ ...counted, name: name as UnitName, requests, failures });
      }
    }
  }

  snapshot(): SignalEvidenceSnapshot {
    return [...this.#signals].map(([signal, { fuse, table }]) => [signal, fuse.snapshot(), table.snapshot()] as const);
  }

  #open(signal: Signal): Followed {
    const followed = this.#signals.get(signal) ?? newFollowed();
    this.#signals.set(signal, followed);
    return followed;
  }
}

function newFollowed(fuse?: UnitFuseSnapshot, table?: UnitTableSnapshot): Followed {
  return { fuse: new UnitFuse(fuse, MET_MAX), table: new UnitTable(SAMPLED_MAX, table) };
}
