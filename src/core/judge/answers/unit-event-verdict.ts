import type { ByArm } from "../../arm.ts";
import { type ClusterDifference, differenceInterval, isRateHigher } from "../../by-unit/cluster-difference.ts";
import type { UnitView } from "../../by-unit/unit-evidence.ts";
import type { BernoulliEProcess } from "../../stats/bernoulli-e-process.ts";
import type { ArmCount } from "../../stats/count-block.ts";
import { type ExcessEProcess, excludedMargin, lnExcess, requestsToMargin } from "../../stats/excess-e-process.ts";
import { wilsonDifference } from "../../stats/wilson.ts";
import type { Verdict } from "../../verdict.ts";
import type { UnitEventSignal } from "../../window/signals.ts";
import type { StageView } from "../block.ts";
import { ALPHA, BETA, boundAt, byShare, minSamples, type OptionsOf, SHARE } from "../fields.ts";
import type { StageCounts } from "../traffic/stage-tally.ts";
import { percent, trafficVerdict } from "../traffic/traffic-verdict.ts";
import { innerShare } from "../needs.ts";
import { ASKS, ON_HARM, SIGNAL_ON_NO_DATA } from "./signal-fields.ts";

export const UNIT_EVENT_OPTIONS = {
  alpha: { ...ALPHA, says: "the probability at most of calling a candidate worse that is not, over the whole rollout" },
  beta: BETA,
  margin: byShare(SHARE, {
    says: "the difference of shares that must be excluded before promotion; 0.02 is two points",
    fallback: { under10: 0.03, under50: 0.02, from50: 0.02 },
    stricter: "lower",
  }),
  minSamples: minSamples("the least candidate answers before promotion", 100),
  onHarm: ON_HARM,
  onNoData: SIGNAL_ON_NO_DATA,
};
export type UnitEventOptions = OptionsOf<typeof UNIT_EVENT_OPTIONS>;

/** What happens to some answers, in the words of a sentence. */
export interface UnitEventWords {
  readonly gate: string;
  readonly signal: UnitEventSignal;
  /** `refusals`, among `answers`. */
  readonly what: string;
  readonly among: string;
  /** Who tells of it. */
  readonly from: string;
}

export interface UnitEventState {
  /** Whether anything was ever told of an arm. */
  readonly told: ByArm<boolean>;
  /** Answers at the share in force. */
  readonly stage: StageCounts;
  readonly harm: BernoulliEProcess;
  readonly proof: ExcessEProcess;
}

/** What units show, where they are told apart. */
interface ByUnits {
  readonly logE: number;
  readonly met: ByArm<number>;
  readonly difference: ClusterDifference;
}

function unitsOf(signal: UnitEventSignal, units: UnitView | undefined): ByUnits | null {
  const difference = units?.signals.difference(signal) ?? null;
  if (units === undefined || difference === null) return null;
  return { logE: units.signals.logE(signal), met: units.signals.units(signal), difference };
}

/** Each unit once, and the rates over units as well; without units every answer as if it were one's of its own. */
function isProven({ harm }: UnitEventState, byUnits: ByUnits | null, { alpha }: UnitEventOptions): boolean {
  const wanted = Math.log(1 / alpha);
  return byUnits === null ? harm.logE >= wanted : byUnits.logE >= wanted && isRateHigher(byUnits.difference);
}

/** Whether the candidate's units meet the event more often than chance allows. */
export function isUnitEventProven(
  signal: UnitEventSignal,
  state: UnitEventState,
  options: UnitEventOptions,
  units: UnitView | undefined,
): boolean {
  return state.told.candidate && state.told.stable && isProven(state, unitsOf(signal, units), options);
}

function rateOf({ failures, total }: ArmCount): number {
  return total === 0 ? 0 : failures / total;
}

/** Whose word is missing, while the arms cannot be compared; null once they can. */
function untold(
  { what, among }: UnitEventWords,
  { told, stage }: UnitEventState,
): { readonly arm: string; readonly reason: string } | null {
  const silent = told.candidate ? "stable" : "the candidate";
  if (!told.stable || !told.candidate) {
    const other = told.candidate ? "the candidate's" : "stable's";
    return { arm: silent, reason: `${what} are told of ${other} ${among} and not of those of ${silent}` };
  }
  const arm = stage.candidate.total === 0 ? "the candidate" : "stable";
  const isComparable = Math.min(stage.stable.total, stage.candidate.total) > 0;
  return isComparable ? null : { arm, reason: `nothing was told of ${among} of ${arm} at this share yet` };
}

function describe({ what, among }: UnitEventWords, { stable, candidate }: StageCounts, byUnits: ByUnits | null) {
  const users = byUnits === null ? "" : ` (met by ${byUnits.met.candidate} and ${byUnits.met.stable} users)`;
  const against = `${percent(rateOf(stable))} on stable`;
  return `${what} in ${percent(rateOf(candidate))} of ${candidate.total} ${among} against ${against}${users}`;
}

/** The verdict on an event of answers. @source decision-policy.md, "Three questions per gate" */
export function unitEventVerdict(
  words: UnitEventWords,
  state: UnitEventState,
  stage: StageView,
  options: UnitEventOptions,
): Verdict {
  const { gate, signal, what, from } = words;
  const { stable, candidate } = state.stage;
  const margin = boundAt(options.margin, stage.candidateBp);
  const samples = { stable: stable.total, candidate: candidate.total };
  const base = { gate, samples, threshold: margin, alpha: options.alpha };
  if (!state.told.stable && !state.told.candidate) {
    const reason = `nothing tells ${what} of either arm`;
    return trafficVerdict(base, "no-data", { estimate: null, reason, needs: `${from} that tells of them` });
  }
  const missing = untold(words, state);
  if (missing !== null) {
    const needs = `${from} of ${missing.arm}, or a person`;
    return trafficVerdict(base, "inconclusive", { estimate: null, reason: missing.reason, needs });
  }
  const byUnits = unitsOf(signal, stage.units);
  const estimate = rateOf(candidate) - rateOf(stable);
  const interval = byUnits === null ? wilsonDifference(state.stage) : differenceInterval(byUnits.difference);
  const finding = { estimate, interval, logE: byUnits?.logE ?? state.harm.logE };
  const found = describe(words, state.stage, byUnits);
  if (isProven(state, byUnits, options)) {
    const reason = `${found}: more than chance allows`;
    if (options.onHarm === "stop") return trafficVerdict(base, "fail", { ...finding, reason });
    return trafficVerdict(base, "inconclusive", { ...finding, reason: `${reason}, so the share is held`, needs: ASKS });
  }
  // So many answers of one user say as much as one: evidence shrinks by the design effect.
  const beta = Math.max(Number.MIN_VALUE, options.beta ** (byUnits?.difference.designEffect ?? 1));
  const isExcluded = lnExcess(state.proof, margin) >= -Math.log(beta);
  if (isExcluded && estimate <= margin && candidate.total >= options.minSamples)
    return trafficVerdict(base, "pass", { ...finding, reason: `${found}: beyond +${percent(margin)} is excluded` });
  const reason = `${found}: ${whatIsKnown(state.proof, beta, margin, estimate)}`;
  return trafficVerdict(base, "inconclusive", {
    ...finding,
    reason,
    needs: neededFor(words, state, stage, options, beta),
  });
}

function whatIsKnown(proof: ExcessEProcess, beta: number, margin: number, estimate: number): string {
  if (estimate > margin) return `over +${percent(margin)} at this share`;
  const excluded = excludedMargin(proof, beta);
  const known = excluded === null ? "no excess is excluded yet" : `only beyond +${percent(excluded)} is excluded`;
  return `${known}, +${percent(margin)} is wanted`;
}

function neededFor(
  { what, among }: UnitEventWords,
  { proof, stage: { candidate } }: UnitEventState,
  { candidateBp }: StageView,
  options: UnitEventOptions,
  beta: number,
): string {
  const share = innerShare(candidateBp);
  const more = requestsToMargin(proof, boundAt(options.margin, candidateBp), beta, share);
  if (more === null) return `fewer ${what}, or ${ASKS}`;
  return `about ${Math.max(1, more, options.minSamples - candidate.total)} more ${among} of the candidate`;
}
