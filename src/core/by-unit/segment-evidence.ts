import { type ByArm, SERVING_ARMS, type ServingArm } from "../arm.ts";
import type { UnitName } from "../assign/unit-name.ts";
import { otherSegment, SEGMENT_LIMITS, type SegmentLabel } from "../routing/segments.ts";
import { lnAverageEValue } from "../stats/multiple.ts";
import { lnSumExp } from "../stats/special.ts";
import { SEGMENT_FAILING_ROW, SEGMENT_ROW, type SegmentLists, type SegmentWindow } from "../window/window.ts";
import { type ClusterDifference, clusterDifference, isRateHigher } from "./cluster-difference.ts";
import { type UnitEvent, UnitFuse, type UnitFuseSnapshot } from "./unit-fuse.ts";
import { type UnitPlace, UnitTable, type UnitTableSnapshot } from "./unit-table.ts";

/** A segment's evidence as plain JSON: its label, which units failed in it, and what a sample of them met. */
type SegmentSnapshot = readonly [SegmentLabel, UnitFuseSnapshot, UnitTableSnapshot, UnitFuseSnapshot];
export type SegmentEvidenceSnapshot = readonly SegmentSnapshot[];

/** One segment in which units fail on the candidate more than chance and their habits explain. */
export interface HarmedSegment {
  readonly label: SegmentLabel;
  /** ln of its e-value with its weight. */
  readonly logE: number;
  readonly difference: ClusterDifference;
  /** Failing units, by the arm their first failure in the segment fell on. */
  readonly units: ByArm<number>;
}

/** What a gate may ask of evidence by segment. */
export interface SegmentView {
  /** Segments followed. */
  readonly size: number;
  /** Whether the candidate has answered a user of any segment. */
  readonly isAnswered: boolean;
  /** ln of the weighted sum over all segments, before the rates are compared: cheap, and never less than with it. */
  readonly logE: number;
  /** Segments whose rates differ as well, the worst first. Their weighted e-values may be added up. */
  harmed(): readonly HarmedSegment[];
}

interface Segment {
  /** First failures of units. */
  readonly fuse: UnitFuse;
  /** Units by the moment from which most of their requests have failed. */
  readonly persistent: UnitFuse;
  readonly table: UnitTable;
}

/** Segments followed for a rollout: what the gateways name and room for what takes a name later; then the rest. */
const SEGMENTS_MAX = 96;
const OTHERS_MAX = SEGMENT_LIMITS.sources;
/** Failing units remembered in each segment, and units whose rates are compared. */
const FAILING_MAX = 512;
const SAMPLED_MAX = 256;
/** Failures of a unit that are no accident, when they are half of its requests so far. */
const PERSISTENT = 3;

/**
 * One e-value a segment over its distinct failing units: the average of the bets on first failures and of those on the
 * moments from which units fail persistently. In a small segment over a long time the first ones of all units come by
 * accident, and hide those of the few on the candidate; nobody fails persistently by accident. Each segment enters
 * with weight 1/(k(k + 1)), k its place in the order in which segments were first seen on whatever arm, and at e = 1
 * with the unit that opened it. The weights are fixed then and add up to at most 1, so the weighted sum reaches
 * 1/alpha in a healthy rollout with probability alpha at most, however many segments come. Weights that follow what
 * was seen would not keep that. A segment of one arm alone proves nothing, because its rates cannot be compared. Grows
 * in place.
 * @source decision-policy.md "Units, not requests", segments
 */
export class SegmentEvidence implements SegmentView {
  readonly #segments: Map<SegmentLabel, Segment>;

  constructor(snapshot: SegmentEvidenceSnapshot = []) {
    this.#segments = new Map(snapshot.map(([label, ...segment]) => [label, newSegment(...segment)]));
  }

  get size(): number {
    return this.#segments.size;
  }

  get isAnswered(): boolean {
    for (const { table } of this.#segments.values()) if (table.sums("candidate", "failures").clusters > 0) return true;
    return false;
  }

  get logE(): number {
    return lnSumExp([...this.#weighted()].map(([, , logE]) => logE));
  }

  /** @param placeOf what was known of a unit before this window */
  take(window: SegmentWindow, placeOf: (name: UnitName) => UnitPlace | null): void {
    // Opened in the window's order, which knows no arm.
    const segments = window.labels.map((label) => this.#open(label));
    for (const segment of this.#segments.values()) {
      segment.table.keepBelow(window.below);
      for (const fuse of [segment.fuse, segment.persistent]) fuse.keepBelow(window.failingBelow);
    }
    for (const arm of SERVING_ARMS) {
      const failed = takeFailing(segments, arm, window.arms[arm], placeOf);
      takeRows(segments, arm, window.arms[arm]);
      for (const [segment, events] of failed) takePersistent(segment, events);
    }
  }

  harmed(): readonly HarmedSegment[] {
    const found: HarmedSegment[] = [];
    for (const [label, segment, logE] of this.#weighted()) {
      if (logEOf(segment) <= 0) continue;
      const { fuse, table } = segment;
      const difference = clusterDifference(table, "failures");
      if (difference !== null && isRateHigher(difference)) found.push({ label, logE, difference, units: fuse.units });
    }
    return found.sort((a, b) => b.logE - a.logE);
  }

  snapshot(): SegmentEvidenceSnapshot {
    return [...this.#segments].map(
      ([label, { fuse, table, persistent }]) =>
        [label, fuse.snapshot(), table.snapshot(), persistent.snapshot()] as const,
    );
  }

  *#weighted(): Iterable<readonly [SegmentLabel, Segment, logE: number]> {
    let place = 0;
    for (const [label, segment] of this.#segments) {
      place++;
      yield [label, segment, logEOf(segment) - Math.log(place * (place + 1))];
    }
  }

  /** A segment that comes when all places are taken is one of the rest; null where even those are taken. */
  #open(label: SegmentLabel): Segment | null {
    const known = this.#segments.get(label);
    if (known !== undefined) return known;
    const other = otherSegment(label);
    if (label !== other && this.#segments.size >= SEGMENTS_MAX) return this.#open(other);
    if (this.#segments.size >= SEGMENTS_MAX + OTHERS_MAX) return null;
    const segment = newSegment();
    this.#segments.set(label, segment);
    return segment;
  }
}

function newSegment(fuse?: UnitFuseSnapshot, table?: UnitTableSnapshot, persistent?: UnitFuseSnapshot): Segment {
  return {
    fuse: new UnitFuse(fuse, FAILING_MAX),
    persistent: new UnitFuse(persistent, FAILING_MAX),
    table: new UnitTable(SAMPLED_MAX, table),
  };
}

function logEOf({ fuse, persistent }: Segment): number {
  return lnAverageEValue([fuse.logE, persistent.logE]);
}

const NOT_SEEN = { stable: { requests: 0, failures: 0 }, candidate: { requests: 0, failures: 0 } };

type Opened = readonly (Segment | null)[];
type Failed = ReadonlyMap<Segment, ReadonlyMap<UnitName, UnitEvent>>;

/** A unit may be listed twice where two labels became one `other`; it counts once. */
function takeFailing(
  segments: Opened,
  arm: ServingArm,
  { failing }: SegmentLists,
  placeOf: (name: UnitName) => UnitPlace | null,
): Failed {
  const failed = new Map<Segment, Map<UnitName, UnitEvent>>();
  for (let at = 0; at < failing.length; at += SEGMENT_FAILING_ROW) {
    const [unit = 0, shareBp = 0, place = 0] = failing.slice(at, at + SEGMENT_FAILING_ROW);
    const [name, segment] = [unit as UnitName, segments[place] ?? null];
    if (segment === null) continue;
    const events = failed.get(segment) ?? new Map<UnitName, UnitEvent>();
    if (events.has(name)) continue;
    const event = { name, arm, share: shareBp / 10_000, before: placeOf(name) };
    failed.set(segment, events.set(name, event));
    segment.fuse.take(event);
  }
  return failed;
}

/**
 * A unit's whole history says when, on whatever arm it was made, so that under "the release makes no difference" the
 * moment says nothing about the arm it falls on.
 */
function takePersistent({ persistent, table }: Segment, events: ReadonlyMap<UnitName, UnitEvent>): void {
  for (const event of events.values()) {
    if (persistent.has(event.name)) continue;
    const { stable, candidate } = table.seenOf(event.name) ?? NOT_SEEN;
    const failures = stable.failures + candidate.failures;
    if (failures >= PERSISTENT && 2 * failures >= stable.requests + candidate.requests) persistent.take(event);
  }
}

function takeRows(segments: Opened, arm: ServingArm, { rows }: SegmentLists): void {
  const counted = { arm, share: arm === "candidate" ? 1 : 0, warm: 0, slow: 0 };
  for (let at = 0; at < rows.length; at += SEGMENT_ROW) {
    const [name = 0, place = 0, requests = 0, failures = 0] = rows.slice(at, at + SEGMENT_ROW);
    segments[place]?.table.record({ ...counted, name: name as UnitName, requests, failures });
  }
}
