import type { ByArm, ServingArm } from "../arm.ts";
import { ALL_NAMES } from "../assign/unit-name.ts";
import type { Bp } from "../unit.ts";
import { isFeedback, isUnitEvent, type Signal, type Told, wholeAmount } from "./signals.ts";
import { type SignalLists, type SignalWindow, WINDOW_LIMITS } from "./window.ts";

interface Row {
  readonly name: number;
  readonly place: number;
  answers: number;
  sum: number;
}

/** By unit and signal in one number. */
interface ArmLog {
  readonly rows: Map<number, Row>;
  readonly met: Map<number, readonly [name: number, shareBp: Bp, place: number]>;
}

/**
 * Which units were told what of their answers since the last cut. Bounded like `UnitLog`, under thresholds of its own:
 * what is left out favours no arm.
 * @source decision-policy.md "Units, not requests"
 */
export class SignalLog {
  readonly #arms: ByArm<ArmLog> = { stable: newArmLog(), candidate: newArmLog() };
  readonly #asked: readonly Signal[];
  #below = ALL_NAMES;
  #metBelow = ALL_NAMES;

  /** @param asked the signals that some gate asks for */
  constructor(asked: readonly Signal[]) {
    this.#asked = asked;
  }

  /** Takes one answer in. Of feedback each answer is a chance, whether anything was told or not. */
  record(arm: ServingArm, name: number, shareBp: Bp, told: Told): void {
    for (const [place, signal] of this.#asked.entries()) {
      const amount = told[signal] ?? (isFeedback(signal) ? 0 : undefined);
      if (amount === undefined) continue;
      if (name < this.#below) this.#takeRow(arm, name, place, wholeAmount(signal, amount));
      if (amount > 0 && isUnitEvent(signal) && name < this.#metBelow) this.#takeMet(arm, name, place, shareBp);
    }
  }

  /** The lists; both arms begin anew. Null where nothing was told. */
  drain(): SignalWindow | null {
    const { stable, candidate } = this.#arms;
    if (stable.rows.size + candidate.rows.size + stable.met.size + candidate.met.size === 0) return null;
    const arms = { stable: drainArm(stable), candidate: drainArm(candidate) };
    return { below: this.#below, metBelow: this.#metBelow, names: this.#asked, arms };
  }

  #takeRow(arm: ServingArm, name: number, place: number, amount: number): void {
    const { rows } = this.#arms[arm];
    const key = name + place * ALL_NAMES;
    let row = rows.get(key);
    if (row === undefined) {
      row = { name, place, answers: 0, sum: 0 };
      rows.set(key, row);
    }
    row.answers++;
    row.sum = Math.min(WINDOW_LIMITS.count, row.sum + amount);
    while (rows.size > WINDOW_LIMITS.signalRows) this.#lower();
  }

  #takeMet(arm: ServingArm, name: number, place: number, shareBp: Bp): void {
    const { met } = this.#arms[arm];
    const key = name + place * ALL_NAMES;
    if (!met.has(key)) met.set(key, [name, shareBp, place]);
    while (met.size > WINDOW_LIMITS.signalMet) this.#lowerMet();
  }

  #lower(): void {
    this.#below /= 2;
    for (const { rows } of [this.#arms.stable, this.#arms.candidate])
      for (const [key, { name }] of rows) if (name >= this.#below) rows.delete(key);
  }

  #lowerMet(): void {
    this.#metBelow /= 2;
    for (const { met } of [this.#arms.stable, this.#arms.candidate])
      for (const [key, [name]] of met) if (name >= this.#metBelow) met.delete(key);
  }
}

function newArmLog(): ArmLog {
  return { rows: new Map(), met: new Map() };
}

function drainArm({ rows, met }: ArmLog): SignalLists {
  const lists: SignalLists = {
    rows: [...rows.values()].flatMap(({ name, place, answers, sum }) => [name, place, answers, sum]),
    met: [...met.values()].flat(),
  };
  rows.clear();
  met.clear();
  return lists;
}
