import type { ByArm, ServingArm } from "../arm.ts";
import { ALL_NAMES, unitName } from "../assign/unit-name.ts";
import type { SegmentLabel } from "../routing/segments.ts";
import type { Bp } from "../unit.ts";
import { SegmentLog } from "./segment-log.ts";
import type { SignalLog } from "./signal-log.ts";
import type { Told } from "./signals.ts";
import { type ErrorClass, type UnitLists, type UnitWindow, WINDOW_LIMITS } from "./window.ts";

interface Row {
  readonly name: number;
  readonly shareBp: Bp;
  requests: number;
  failures: number;
  warm: number;
  slow: number;
}

/** Rows by name, as the signed integer of its bits: a key that is no such one costs an object each time it is asked. */
type Rows = Map<number, Row>;

interface ArmLog {
  /** A unit whose requests were routed at two shares has two rows. */
  readonly byShare: Map<Bp, Rows>;
  size: number;
  readonly failing: Map<string, readonly [name: number, shareBp: Bp, errorClass: ErrorClass]>;
}

/** What a request of a drawn unit came to. */
export interface UnitOutcome {
  readonly errorClass: ErrorClass | null;
  /** Total latency of a warm answer; null for a cold or failed one. */
  readonly warmMs: number | null;
}

/**
 * Which units met what since the last cut. Bounded for both arms together: when one arm lists too many units, those
 * with the highest names leave both, now and for the rest of the generation, so that what is left out favours no arm.
 * @source decision-policy.md "Units, not requests"
 */
export class UnitLog {
  readonly #arms: ByArm<ArmLog> = { stable: newArmLog(), candidate: newArmLog() };
  readonly #key: number;
  readonly #segments = new SegmentLog();
  readonly #signals: SignalLog | null;
  #below = ALL_NAMES;
  #failingBelow = ALL_NAMES;

  /**
   * @param key of the generation: its bucket seed
   * @param signals null where nothing is asked of answers
   */
  constructor(key: number, signals: SignalLog | null = null) {
    this.#key = key;
    this.#signals = signals;
  }

  /**
   * @param slowMs beyond this a warm answer is slow; null while nobody knows
   * @param labels segments of the request; null where none are told apart
   */
  record(
    arm: ServingArm,
    hash: number,
    shareBp: Bp,
    { errorClass, warmMs }: UnitOutcome,
    slowMs: number | null,
    labels: readonly SegmentLabel[] | null = null,
  ): void {
    const name = unitName(hash, this.#key);
    if (labels !== null) this.#segments.record(arm, name, shareBp, labels, errorClass !== null);
    if (name < this.#below) {
      const row = this.#rowOf(arm, name, shareBp);
      row.requests++;
      if (errorClass !== null) row.failures++;
      if (warmMs !== null && slowMs !== null) {
        row.warm++;
        if (warmMs > slowMs) row.slow++;
      }
    }
    if (errorClass !== null && name < this.#failingBelow) {
      const { failing } = this.#arms[arm];
      failing.set(`${name}|${errorClass}`, [name, shareBp, errorClass]);
      if (failing.size > WINDOW_LIMITS.failing) this.#lowerFailing();
    }
  }

  /** What a recorded request's answer was told to be. */
  tell(arm: ServingArm, hash: number, shareBp: Bp, told: Told): void {
    this.#signals?.record(arm, unitName(hash, this.#key), shareBp, told);
  }

  /** The lists, with classes as places in `classes`; both arms begin anew. Null where no unit was seen. */
  drain(classes: ByArm<readonly ErrorClass[]>, otherOf: (errorClass: ErrorClass) => ErrorClass): UnitWindow | null {
    const { stable, candidate } = this.#arms;
    const listed = stable.size + candidate.size + stable.failing.size + candidate.failing.size;
    if (listed === 0 && !this.#segments.isListed) return null;
    const [segments, signals] = [this.#segments.drain(), this.#signals?.drain() ?? null];
    return {
      ...(segments === null ? {} : { segments }),
      ...(signals === null ? {} : { signals }),
      below: this.#below,
      failingBelow: this.#failingBelow,
      arms: {
        stable: drainArm(stable, classes.stable, otherOf),
        candidate: drainArm(candidate, classes.candidate, otherOf),
      },
    };
  }

  #rowOf(arm: ServingArm, name: number, shareBp: Bp): Row {
    const log = this.#arms[arm];
    let rows = log.byShare.get(shareBp);
    if (rows === undefined) {
      rows = new Map();
      log.byShare.set(shareBp, rows);
    }
    const known = rows.get(name | 0);
    if (known !== undefined) return known;
    const row: Row = { name, shareBp, requests: 0, failures: 0, warm: 0, slow: 0 };
    rows.set(name | 0, row);
    if (++log.size > WINDOW_LIMITS.units) this.#lower();
    return row;
  }

  #lower(): void {
    this.#below /= 2;
    for (const log of [this.#arms.stable, this.#arms.candidate])
      for (const rows of log.byShare.values())
        for (const [key, { name }] of rows) if (name >= this.#below && rows.delete(key)) log.size--;
  }

  #lowerFailing(): void {
    this.#failingBelow /= 2;
    for (const { failing } of [this.#arms.stable, this.#arms.candidate])
      for (const [key, [name]] of failing) if (name >= this.#failingBelow) failing.delete(key);
  }
}

function newArmLog(): ArmLog {
  return { byShare: new Map(), size: 0, failing: new Map() };
}

function drainArm(
  log: ArmLog,
  classes: readonly ErrorClass[],
  otherOf: (errorClass: ErrorClass) => ErrorClass,
): UnitLists {
  const placeOf = (errorClass: ErrorClass) => {
    const place = classes.indexOf(errorClass);
    return place < 0 ? classes.indexOf(otherOf(errorClass)) : place;
  };
  const { byShare, failing } = log;
  const rows: number[] = [];
  for (const ofShare of byShare.values())
    for (const { name, shareBp, requests, failures, warm, slow } of ofShare.values())
      rows.push(name, shareBp, requests, failures, warm, slow);
  const lists: UnitLists = {
    rows,
    failing: [...failing.values()].flatMap(([name, shareBp, errorClass]) => [name, shareBp, placeOf(errorClass)]),
  };
  byShare.clear();
  log.size = 0;
  failing.clear();
  return lists;
}
