import { assert } from "../assert.ts";
import { normalCdf, normalQuantile } from "./special.ts";

/**
 * How much of the error rate may be spent by information fraction `t` in 0..1.
 * @source K. Lan, D. DeMets, Biometrika 70 (1983) 659-663: O'Brien-Fleming type and Pocock type; power family:
 * K. Kim, D. DeMets, Biometrika 74 (1987) 149-154
 */
export type Spending =
  | { readonly kind: "obrien-fleming" }
  | { readonly kind: "pocock" }
  | { readonly kind: "power"; readonly exponent: number };

/**
 * Looks planned at information fractions, ascending, each in (0, 1]: requests or questions seen over the most planned.
 */
export interface LookPlan {
  readonly fractions: readonly number[];
  /** Total error rate; `two-sided` gives each side half and spends both sides alike. */
  readonly alpha: number;
  readonly spending: Spending;
  readonly sides: "one-sided" | "two-sided";
}

/**
 * Critical z at each look of a group-sequential test. Sharper than an e-process when the largest sample is known
 * beforehand, and invalid when the sample outgrows it: see `runOverFractions`.
 * @returns one critical value per look, accurate to 1e-4
 * @source Lan & DeMets (1983); recursive integration: P. Armitage, C. McPherson, B. Rowe, JRSS A 132 (1969) 235-244
 */
export function spendingBounds({ fractions, alpha, spending, sides }: LookPlan): readonly number[] {
  assertFractions(fractions);
  assert(alpha > 0 && alpha < 0.5, `alpha is strictly between 0 and 0.5: ${alpha}`);
  const perSide = sides === "two-sided" ? alpha / 2 : alpha;
  const bounds: number[] = [];
  let walk = START;
  let spent = 0;
  for (const fraction of fractions) {
    const allowed = spend(spending, perSide, fraction);
    const bound = solveBound(walk, fraction, Math.max(allowed - spent, SPEND_MIN));
    bounds.push(bound);
    walk = advance(walk, fraction, lowerEnd(fraction, bound, sides), bound * Math.sqrt(fraction), 0);
    spent = allowed;
  }
  return bounds;
}

/**
 * Chance of first crossing the bounds at each look, when z at information fraction 1 has mean `drift` (0: healthy).
 * Their sum is the total error rate, or the power.
 */
export function crossingChances(
  bounds: readonly number[],
  fractions: readonly number[],
  sides: "one-sided" | "two-sided",
  drift = 0,
): readonly number[] {
  assertFractions(fractions);
  assert(bounds.length === fractions.length, `one bound per look: ${bounds.length} of ${fractions.length}`);
  let walk = START;
  return fractions.map((fraction, look) => {
    const bound = bounds[look] ?? Number.NaN;
    const high = bound * Math.sqrt(fraction);
    const low = lowerEnd(fraction, bound, sides) + (sides === "one-sided" ? drift * fraction : 0);
    const below = sides === "two-sided" ? chanceBelow(walk, fraction, low, drift) : 0;
    const crossed = chanceAbove(walk, fraction, high, drift) + below;
    walk = advance(walk, fraction, low, high, drift);
    return crossed;
  });
}

/**
 * Information fractions of looks at sample sizes `counts` when `planned` was the most expected: measured against the
 * larger of plan and last count, so that a sample that ran over never claims more than all information.
 * @source Spotify, `confidence` (2023), sequential bounds "run over" rule
 */
export function runOverFractions(counts: readonly number[], planned: number): readonly number[] {
  const most = counts.reduce((largest, count) => Math.max(largest, count), planned);
  return counts.map((count) => count / most);
}

/** A random walk that has not yet crossed: its density on an even grid, with the weights to integrate it. */
interface Walk {
  readonly fraction: number;
  readonly at: readonly number[];
  readonly mass: readonly number[];
}

const START: Walk = { fraction: 0, at: [0], mass: [1] };
/** Even number of Simpson cells; 240 keep the published bounds to four decimals. */
const CELLS = 240;
/** Beyond this many standard deviations the walk is taken to have no mass. */
const FAR = 9;
const SPEND_MIN = 1e-14;

function spend(spending: Spending, alpha: number, fraction: number): number {
  if (spending.kind === "power") return alpha * fraction ** spending.exponent;
  if (spending.kind === "pocock") return alpha * Math.log1p((Math.E - 1) * fraction);
  return 2 * normalCdf(normalQuantile(alpha / 2) / Math.sqrt(fraction));
}

function lowerEnd(fraction: number, bound: number, sides: "one-sided" | "two-sided"): number {
  return -Math.sqrt(fraction) * (sides === "two-sided" ? bound : FAR);
}

function chanceAbove(walk: Walk, fraction: number, high: number, drift: number): number {
  const step = fraction - walk.fraction;
  const sd = Math.sqrt(step);
  return walk.at.reduce((sum, x, i) => sum + (walk.mass[i] ?? 0) * normalCdf((x + drift * step - high) / sd), 0);
}

function chanceBelow(walk: Walk, fraction: number, low: number, drift: number): number {
  const step = fraction - walk.fraction;
  const sd = Math.sqrt(step);
  return walk.at.reduce((sum, x, i) => sum + (walk.mass[i] ?? 0) * normalCdf((low - x - drift * step) / sd), 0);
}

/** The bound that spends `amount` on the upper side at this look. */
function solveBound(walk: Walk, fraction: number, amount: number): number {
  let [low, high] = [-FAR, FAR];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (chanceAbove(walk, fraction, middle * Math.sqrt(fraction), 0) > amount) low = middle;
    else high = middle;
  }
  return high;
}

/** The walk at `fraction`, kept only between `low` and `high`. */
function advance(walk: Walk, fraction: number, low: number, high: number, drift: number): Walk {
  const step = fraction - walk.fraction;
  const sd = Math.sqrt(step);
  const width = (high - low) / CELLS;
  const at = Array.from({ length: CELLS + 1 }, (_, i) => low + i * width);
  const mass = at.map((x, i) => {
    const simpson = i === 0 || i === CELLS ? 1 : i % 2 === 1 ? 4 : 2;
    let density = 0;
    for (let j = 0; j < walk.at.length; j++) {
      const z = (x - (walk.at[j] ?? 0) - drift * step) / sd;
      if (Math.abs(z) < FAR) density += (walk.mass[j] ?? 0) * Math.exp((-z * z) / 2);
    }
    return ((simpson * width) / 3) * (density / (sd * Math.sqrt(2 * Math.PI)));
  });
  return { fraction, at, mass };
}

function assertFractions(fractions: readonly number[]): void {
  const ascending = fractions.every((t, i) => t > (i === 0 ? 0 : (fractions[i - 1] ?? 0)) && t <= 1);
  assert(fractions.length > 0 && ascending, `fractions ascend within (0, 1]: ${fractions.join(", ")}`);
}
