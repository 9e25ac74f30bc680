import { gateNamed } from "../judge/gates.ts";
import { type Assumptions, shareOf } from "../judge/needs.ts";
import { gateLabel, isInForce } from "../judge/setting.ts";
import type { RolloutPlan, TrafficStage } from "../stage/plan.ts";

/** What a gate will need at one stage, under stated assumptions about healthy traffic. */
export interface GateForecast {
  readonly gate: string;
  /** Candidate requests until a healthy candidate is proven inside the margin; null when it never is. */
  readonly needsSamples: number | null;
  /** Seconds that takes at the given rate, evidence of earlier stages not counted; null when unknown or never. */
  readonly expectedS: number | null;
  /** False when the stage's cap ends before the proof. */
  readonly isFeasible: boolean;
  /** The smallest harm this gate sees within the hold, as a sentence. */
  readonly detectable: string;
  /** Chance that one look at a healthy candidate stops it, for a literal limit; null where alpha promises it. */
  readonly falseStop: number | null;
  /** What would let it decide; null when it can. */
  readonly fix: string | null;
  /** Why no traffic would settle it, where the gate has a word of its own for that. */
  readonly never: string | null;
  /** Whether the controller may have learnt by then what is missing. */
  readonly canLearn: boolean;
}

const WAYS_OUT = "a longer cap, a higher share, or a wider margin";

/** What every traffic gate of a plan needs at one stage, and whether it can get it before the cap. */
export function forecastStage(plan: RolloutPlan, stage: TrafficStage, assumed: Assumptions): readonly GateForecast[] {
  return plan.gates.flatMap((setting) => {
    if (!isInForce(setting, stage.candidateBp)) return [];
    // Readings come as often as the metric of that name is read, whatever the traffic.
    const readingEveryMs = plan.metrics.find(({ name }) => name === setting.instance)?.everyMs ?? 0;
    const needs = gateNamed(setting.gate).needs(setting.options, stage, { ...assumed, readingEveryMs });
    if (needs === null) return [];
    const { needsSamples, leastS = 0, detectable, falseStop = null, never = null } = needs;
    const isEver = needsSamples !== null && needs.fix === undefined;
    const trafficS = isEver ? needsSamples / (assumed.requestsPerSecond * shareOf(stage)) : null;
    const expectedS = trafficS === null ? null : Math.max(leastS, trafficS);
    const isFeasible = expectedS !== null && expectedS * 1_000 <= stage.capMs;
    const fix = isFeasible ? null : (needs.fix ?? WAYS_OUT);
    const canLearn = gateNamed(setting.gate).canLearn && expectedS === null;
    const known = { needsSamples, expectedS, isFeasible, detectable, falseStop, fix };
    return [{ gate: gateLabel(setting), ...known, never, canLearn }];
  });
}

/**
 * What every gate needs at a share until the next one is taken: where that waits for the margins of a higher one, they
 * are what has to be proven, by the traffic of this one.
 */
export function forecastLeaving(
  plan: RolloutPlan,
  { stage, waitsFor }: { readonly stage: TrafficStage; readonly waitsFor: TrafficStage | null },
  assumed: Assumptions,
): readonly GateForecast[] {
  if (waitsFor === null) return forecastStage(plan, stage, assumed);
  const { holdMs, capMs } = stage;
  const requestsPerSecond = (assumed.requestsPerSecond * shareOf(stage)) / shareOf(waitsFor);
  return forecastStage(plan, { ...waitsFor, holdMs, capMs }, { ...assumed, requestsPerSecond });
}
