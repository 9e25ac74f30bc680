import type { RolloutPlan, TrafficStage } from "../stage/plan.ts";
import type { GateSetting } from "../gate/gate.ts";
import { gateBaseName } from "../gate/order.ts";
import { isInForce } from "../gate/setting.ts";
import { SHARE_MEASURES } from "../gate/share-measure.ts";
import { forecastErrors, forecastNewClass, forecastP95 } from "./compared.ts";
import { type Assumptions, type Needs, shareOf } from "./needs.ts";
import { forecastShare } from "./share.ts";
import { forecastWaiting } from "./waiting.ts";

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
}

const WAYS_OUT = "a longer cap, a higher share, or a wider margin";

function needsOf(setting: GateSetting, stage: TrafficStage, assumed: Assumptions, plan: RolloutPlan): Needs | null {
  const kind = gateBaseName(setting.gate);
  const measure = SHARE_MEASURES.find(({ gate }) => gate === kind);
  if (measure !== undefined) return forecastShare(measure, setting, stage, assumed);
  switch (kind) {
    case "error-rate":
      return forecastErrors(setting, stage, assumed);
    case "p95-warm":
    case "p95-equal-load":
      return forecastP95(setting, stage, assumed);
    case "new-error-class":
      return forecastNewClass(setting, stage, assumed);
    default:
      return forecastWaiting(setting, plan);
  }
}

/** What every traffic gate of a plan needs at one stage, and whether it can get it before the cap. */
export function forecastStage(plan: RolloutPlan, stage: TrafficStage, assumed: Assumptions): readonly GateForecast[] {
  return plan.gates.flatMap((setting) => {
    if (!isInForce(setting, stage.candidateBp)) return [];
    const needs = needsOf(setting, stage, assumed, plan);
    if (needs === null) return [];
    const { needsSamples, leastS = 0, detectable, falseStop = null } = needs;
    const isEver = needsSamples !== null && needs.fix === undefined;
    const trafficS = isEver ? needsSamples / (assumed.requestsPerSecond * shareOf(stage)) : null;
    const expectedS = trafficS === null ? null : Math.max(leastS, trafficS);
    const isFeasible = expectedS !== null && expectedS * 1_000 <= stage.capMs;
    const fix = isFeasible ? null : (needs.fix ?? WAYS_OUT);
    return [{ gate: setting.gate, needsSamples, expectedS, isFeasible, detectable, falseStop, fix }];
  });
}
