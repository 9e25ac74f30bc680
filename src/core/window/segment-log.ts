import type { ByArm, ServingArm } from "../arm.ts";
import { ALL_NAMES } from "../assign/unit-name.ts";
import { otherSegment, type SegmentLabel } from "../routing/segments.ts";
import type { Bp } from "../unit.ts";
import { type SegmentLists, type SegmentWindow, WINDOW_LIMITS } from "./window.ts";

interface Row {
  requests: number;
  failures: number;
}

/** Units by segment; of failing ones also the share that routed their first failure of the window. */
interface ArmLog {
  readonly units: Map<SegmentLabel, Map<number, Row>>;
  readonly failing: Map<SegmentLabel, Map<number, Bp>>;
  rows: number;
  failingRows: number;
}

/** Segments named in windows; the largest, whatever arm served them. */
const NAMED_MAX = 40;
/** Segments counted; above that new ones wait until the counts are halved and the rarest forgotten. */
const COUNTED_MAX = 1_024;
/** How many times larger than the smallest named one another has to be to take its place. */
const TAKES_PLACE = 2;

/**
 * Which units of which segments met what since the last cut. Which segments are named is decided by the requests of
 * both arms together, so that the bound favours no arm; and units leave under one threshold, as in `UnitLog`.
 * @source decision-policy.md "Units, not requests", segments
 */
export class SegmentLog {
  readonly #arms: ByArm<ArmLog> = { stable: newArmLog(), candidate: newArmLog() };
  readonly #counts = new Map<SegmentLabel, number>();
  readonly #named = new Set<SegmentLabel>();
  #below = ALL_NAMES;
  #failingBelow = ALL_NAMES;

  record(arm: ServingArm, name: number, shareBp: Bp, labels: readonly SegmentLabel[], failed: boolean): void {
    for (const label of labels) {
      const counted = this.#count(label);
      if (name < this.#below) this.#takeRow(arm, counted, name, failed);
      if (failed && name < this.#failingBelow) this.#takeFailing(arm, counted, name, shareBp);
    }
  }

  /** Whether a unit is listed since the last cut. */
  get isListed(): boolean {
    return [this.#arms.stable, this.#arms.candidate].some(({ rows, failingRows }) => rows + failingRows > 0);
  }

  /** The lists; both arms begin anew. Null where no segment was seen. */
  drain(): SegmentWindow | null {
    if (!this.isListed) return null;
    this.#nameLargest();
    const seen = new Set([this.#arms.stable, this.#arms.candidate].flatMap(labelsOf));
    // In an order that knows no arm: the controller gives weights by it.
    const named = [...this.#named].filter((label) => seen.has(label));
    const others = [...seen].filter((label) => !this.#named.has(label)).map(otherSegment);
    const labels = [...named, ...[...new Set(others)].filter((other) => !named.includes(other)).sort()];
    const places = new Map(labels.map((label, place) => [label, place]));
    const placeOf = (label: SegmentLabel) => places.get(label) ?? places.get(otherSegment(label)) ?? 0;
    const arms = { stable: drainArm(this.#arms.stable, placeOf), candidate: drainArm(this.#arms.candidate, placeOf) };
    return { below: this.#below, failingBelow: this.#failingBelow, labels, arms };
  }

  /** Counts a request; the label it is written under until it is known how large its segment is. */
  #count(label: SegmentLabel): SegmentLabel {
    const count = this.#counts.get(label);
    if (count === undefined && this.#counts.size >= COUNTED_MAX) {
      this.#forgetRarest();
      if (this.#counts.size >= COUNTED_MAX) return otherSegment(label);
    }
    this.#counts.set(label, (count ?? 0) + 1);
    return label;
  }

  #forgetRarest(): void {
    for (const [label, count] of this.#counts) {
      if (count > 1) this.#counts.set(label, count / 2);
      else if (!this.#named.has(label)) this.#counts.delete(label);
    }
  }

  /** A named segment stays unless one twice as large has no place: names that come and go say little. */
  #nameLargest(): void {
    const sizeOf = (label: SegmentLabel) => this.#counts.get(label) ?? 0;
    const others = [...this.#counts.keys()].filter((label) => !this.#named.has(label));
    for (const label of others.sort((a, b) => sizeOf(b) - sizeOf(a))) {
      if (this.#named.size < NAMED_MAX) {
        this.#named.add(label);
        continue;
      }
      const smallest = [...this.#named].reduce((least, one) => (sizeOf(one) < sizeOf(least) ? one : least));
      if (sizeOf(label) < TAKES_PLACE * sizeOf(smallest)) return;
      this.#named.delete(smallest);
      this.#named.add(label);
    }
  }

  #takeRow(arm: ServingArm, label: SegmentLabel, name: number, failed: boolean): void {
    const log = this.#arms[arm];
    const units = within(log.units, label);
    let row = units.get(name);
    if (row === undefined) {
      row = { requests: 0, failures: 0 };
      units.set(name, row);
      log.rows++;
    }
    row.requests++;
    if (failed) row.failures++;
    while (log.rows > WINDOW_LIMITS.segmentUnits) this.#lower();
  }

  #takeFailing(arm: ServingArm, label: SegmentLabel, name: number, shareBp: Bp): void {
    const log = this.#arms[arm];
    const failing = within(log.failing, label);
    if (failing.has(name)) return;
    failing.set(name, shareBp);
    log.failingRows++;
    while (log.failingRows > WINDOW_LIMITS.failing) this.#lowerFailing();
  }

  #lower(): void {
    this.#below /= 2;
    for (const log of [this.#arms.stable, this.#arms.candidate]) log.rows -= leave(log.units, this.#below);
  }

  #lowerFailing(): void {
    this.#failingBelow /= 2;
    for (const log of [this.#arms.stable, this.#arms.candidate])
      log.failingRows -= leave(log.failing, this.#failingBelow);
  }
}

function newArmLog(): ArmLog {
  return { units: new Map(), failing: new Map(), rows: 0, failingRows: 0 };
}

function labelsOf({ units, failing }: ArmLog): readonly SegmentLabel[] {
  return [...units.keys(), ...failing.keys()];
}

function within<T>(lists: Map<SegmentLabel, Map<number, T>>, label: SegmentLabel): Map<number, T> {
  const known = lists.get(label);
  if (known !== undefined) return known;
  const list = new Map<number, T>();
  lists.set(label, list);
  return list;
}

/** Forgets units at or above a threshold; how many. */
function leave(lists: ReadonlyMap<SegmentLabel, Map<number, unknown>>, below: number): number {
  let left = 0;
  for (const list of lists.values()) for (const name of list.keys()) if (name >= below && list.delete(name)) left++;
  return left;
}

function drainArm(log: ArmLog, placeOf: (label: SegmentLabel) => number): SegmentLists {
  const rows: number[] = [];
  const failing: number[] = [];
  for (const [label, units] of log.units)
    for (const [name, { requests, failures }] of units) rows.push(name, placeOf(label), requests, failures);
  for (const [label, units] of log.failing)
    for (const [name, shareBp] of units) failing.push(name, shareBp, placeOf(label));
  log.units.clear();
  log.failing.clear();
  log.rows = log.failingRows = 0;
  return { rows, failing };
}
