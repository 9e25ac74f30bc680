import { type ByArm, SERVING_ARMS } from "../arm.ts";
import { type ErrorClass, FAILING_ROW, UNIT_ROW, type UnitWindow } from "../window/window.ts";
import { type ClusterDifference, clusterDifference } from "./cluster-difference.ts";
import type { UnitName } from "../assign/unit-name.ts";
import type { EpochMs } from "../unit.ts";
import { SegmentEvidence, type SegmentEvidenceSnapshot, type SegmentView } from "./segment-evidence.ts";
import { SignalEvidence, type SignalEvidenceSnapshot, type SignalView } from "./signal-evidence.ts";
import { UnitFuse, type UnitFuseSnapshot } from "./unit-fuse.ts";
import {
  type FailingUnit,
  type UnitCounts,
  type UnitMeasure,
  type UnitPlace,
  UnitTable,
  type UnitTableSnapshot,
} from "./unit-table.ts";

/** A stretch of time whose units may be missing: what was seen in it was lost with the process that saw it. */
interface UnitGap {
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
}

/** Evidence by unit as plain JSON. */
export interface UnitEvidenceSnapshot {
  /** When it was taken; absent in what the version before stored. */
  readonly takenAt?: EpochMs;
  /** Nothing came after it: the process that took it was stopped, and not killed. */
  readonly isLast?: boolean;
  readonly gaps?: readonly UnitGap[];
  readonly table: UnitTableSnapshot;
  readonly failures: UnitFuseSnapshot;
  readonly classes: readonly (readonly [ErrorClass, UnitFuseSnapshot])[];
  /** Missing in what the version before stored. */
  readonly segments?: SegmentEvidenceSnapshot;
  readonly signals?: SignalEvidenceSnapshot;
}

/** What a gate may ask of it. */
export interface UnitView {
  /** False until units were seen with a chance of this event. */
  tells(measure: UnitMeasure): boolean;
  /** Failures of any class. */
  readonly failures: Pick<UnitFuse, "logE" | "units">;
  /**
   * ln of a class's e-value with its weight 1/(k(k + 1)), k its place in the order in which classes were first seen on
   * whatever arm: the weights add up to 1 however many classes come, so each may be held against the gate's whole
   * alpha. Null for a class that no drawn unit met: whoever met it was not told apart.
   */
  classLogE(errorClass: ErrorClass): number | null;
  /** Rates averaged over units, clustered by unit; null while an arm has fewer than two. */
  difference(measure: UnitMeasure): ClusterDifference | null;
  /** Units whose requests failed most often on the candidate, most first. */
  failing(most: number): readonly FailingUnit[];
  /** The same by segment; without one where the document tells none apart. */
  readonly segments: SegmentView;
  /** What their answers were told to be, besides failed. */
  readonly signals: SignalView;
}

/** Gaps that are told apart; of more the oldest two become one. */
const GAPS_MAX = 8;

/** Classes that are followed; later ones are judged by the failures of any class. */
const CLASSES_MAX = 64;

/**
 * What the units of one try showed. One life: its sets and its e-values begin and end together, at the latest with the
 * salt that drew the units. A second try begins with none of it: the first one's proof would end it at once, and its
 * sets without its proof would bet on the units that had not failed, which are not as they were drawn. Grows in place.
 * @source decision-policy.md "Units, not requests"
 */
export class UnitEvidence implements UnitView {
  readonly #table: UnitTable;
  readonly #classes: Map<ErrorClass, UnitFuse>;
  #gaps: readonly UnitGap[];
  readonly failures: UnitFuse;
  readonly segments: SegmentEvidence;
  readonly signals: SignalEvidence;

  constructor(snapshot?: UnitEvidenceSnapshot) {
    this.#table = new UnitTable(undefined, snapshot?.table);
    this.failures = new UnitFuse(snapshot?.failures);
    this.#classes = new Map(snapshot?.classes.map(([name, fuse]) => [name, new UnitFuse(fuse)]));
    this.segments = new SegmentEvidence(snapshot?.segments);
    this.signals = new SignalEvidence(snapshot?.signals);
    this.#gaps = snapshot?.gaps ?? [];
  }

  /** When units may have come that are not known, oldest first. */
  get gaps(): readonly UnitGap[] {
    return this.#gaps;
  }

  /** Notes that what came in a stretch after all others was lost. */
  miss(gap: UnitGap): void {
    const [first, second, ...rest] = [...this.#gaps, gap];
    this.#gaps =
      first === undefined || second === undefined || rest.length + 2 <= GAPS_MAX
        ? [...this.#gaps, gap]
        : [{ fromMs: first.fromMs, toMs: second.toMs }, ...rest];
  }

  tells(measure: UnitMeasure): boolean {
    return this.#table.tells(measure);
  }

  /** Takes one window's units in. @param classes the window's classes by arm, sorted, as `failing` refers to them */
  take(
    { below, failingBelow, arms, segments, signals }: UnitWindow,
    classes: { readonly stable: readonly ErrorClass[]; readonly candidate: readonly ErrorClass[] },
  ): void {
    this.#table.keepBelow(below);
    for (const fuse of [this.failures, ...this.#classes.values()]) fuse.keepBelow(failingBelow);
    for (const arm of SERVING_ARMS) this.#takeFailing(arm, arms[arm].failing, classes[arm]);
    if (segments !== undefined) this.segments.take(segments, (name) => this.#placeBefore(name));
    if (signals !== undefined) this.signals.take(signals, (name) => this.#placeBefore(name));
    for (const arm of SERVING_ARMS) this.#takeRows(arm, arms[arm].rows);
  }

  classLogE(errorClass: ErrorClass): number | null {
    let place = 0;
    for (const [name, fuse] of this.#classes) {
      place++;
      if (name === errorClass) return fuse.logE - Math.log(place * (place + 1));
    }
    return null;
  }

  difference(measure: UnitMeasure): ClusterDifference | null {
    return clusterDifference(this.#table, measure);
  }

  failing(most: number): readonly FailingUnit[] {
    return this.#table.failing("candidate", most);
  }

  /** Units that each arm answered in this try; an estimate once they are sampled. */
  get unitsMet(): ByArm<number> {
    return { stable: this.#table.unitsOf("stable"), candidate: this.#table.unitsOf("candidate") };
  }

  /** What is known of one unit: its requests by arm, null where it was not seen or is not in the sample. */
  seenOf(name: UnitName): { readonly arms: ByArm<UnitCounts> | null; readonly isComplete: boolean } {
    return { arms: this.#table.seenOf(name), isComplete: this.#table.isComplete };
  }

  snapshot(): UnitEvidenceSnapshot {
    return {
      table: this.#table.snapshot(),
      failures: this.failures.snapshot(),
      classes: [...this.#classes].map(([name, fuse]) => [name, fuse.snapshot()] as const),
      segments: this.segments.snapshot(),
      signals: this.signals.snapshot(),
      ...(this.#gaps.length === 0 ? {} : { gaps: this.#gaps }),
    };
  }

  toJSON(): UnitEvidenceSnapshot {
    return this.snapshot();
  }

  /** A unit's place is the one known before this window, for every class it failed with in it. */
  #takeFailing(arm: "stable" | "candidate", failing: readonly number[], classes: readonly ErrorClass[]): void {
    const failed = new Set<UnitName>();
    for (let at = 0; at < failing.length; at += FAILING_ROW) {
      const [name, share] = [failing[at] as UnitName, (failing[at + 1] as number) / 10_000];
      const before = this.#placeBefore(name);
      const event = { name, arm, share, before };
      const errorClass = classes[failing[at + 2] as number];
      if (errorClass !== undefined) this.#fuseOf(errorClass)?.take(event);
      if (failed.has(name)) continue;
      failed.add(name);
      this.failures.take(event);
    }
  }

  #placeBefore(name: UnitName): UnitPlace | null {
    return this.#table.isComplete ? this.#table.placeOf(name) : null;
  }

  #takeRows(arm: "stable" | "candidate", rows: readonly number[]): void {
    for (let at = 0; at < rows.length; at += UNIT_ROW) {
      const [name = 0, shareBp = 0, requests = 0, failures = 0, warm = 0, slow = 0] = rows.slice(at, at + UNIT_ROW);
      this.#table.record({
        name: name as UnitName,
        arm,
        share: shareBp / 10_000,
        requests,
        failures,
        warm,
        slow,
      });
    }
  }

  #fuseOf(errorClass: ErrorClass): UnitFuse | null {
    const known = this.#classes.get(errorClass);
    if (known !== undefined || this.#classes.size >= CLASSES_MAX) return known ?? null;
    const fuse = new UnitFuse();
    this.#classes.set(errorClass, fuse);
    return fuse;
  }
}
