import type { ByArm } from "../../arm.ts";
import type { UnitView } from "../../by-unit/unit-evidence.ts";
import { asymptoticHalfWidth } from "../../stats/asymptotic-cs.ts";
import { type ClusterSums, clusteredMean } from "../../stats/clustered-mean.ts";
import type { Bp } from "../../unit.ts";
import type { Verdict } from "../../verdict.ts";
import { type AmountSignal, amountOf } from "../../window/signals.ts";
import type { StageView } from "../block.ts";
import { ALPHA, BETA, boundAt, type ByShare, byShare, type Field, minSamples, number, RATIO } from "../fields.ts";
import { trafficVerdict } from "../traffic/traffic-verdict.ts";
import { ASKS, ON_HARM, SIGNAL_ON_NO_DATA } from "./signal-fields.ts";

/** Users of each arm from which a mean has an interval. @source asymptotic-cs.ts: take at least 100 */
const USERS_LEAST = 100;
/** Size at which the interval is tightest; it is valid at every other one. */
export const TUNED_FOR = 500;

/** What is the same for every amount but for its limits. An alias, so that declarations of gates can spell it out. */
export type AmountFields = {
  readonly alpha: typeof ALPHA;
  readonly beta: typeof BETA;
  readonly harmRatio: Field<number>;
  readonly margin: Field<ByShare>;
  readonly minUsers: Field<number>;
  readonly onHarm: typeof ON_HARM;
  readonly onNoData: typeof SIGNAL_ON_NO_DATA;
  readonly [option: string]: Field<unknown>;
};

export interface AmountOptions {
  readonly alpha: number;
  readonly beta: number;
  readonly harmRatio: number;
  readonly margin: ByShare;
  readonly minUsers: number;
  readonly onHarm: "hold" | "stop";
  readonly onNoData: "hold" | "skip";
}

/** @param harmRatio and margin as multiples of stable's mean */
export function amountFields(limits: { readonly harmRatio: number; readonly margin: ByShare }): AmountFields {
  return {
    alpha: {
      ...ALPHA,
      says: "the probability at most of calling a candidate worse that is not, over the whole rollout",
    },
    beta: BETA,
    harmRatio: number(RATIO, {
      says: "the ratio candidate/stable that is tolerated; harm is a proven higher one",
      fallback: limits.harmRatio,
      stricter: "lower",
    }),
    margin: byShare(RATIO, {
      says: "the ratio that must be excluded before promotion",
      fallback: limits.margin,
      stricter: "lower",
    }),
    minUsers: minSamples("the least users of each arm before promotion; fewer have no reliable mean", USERS_LEAST),
    onHarm: ON_HARM,
    onNoData: SIGNAL_ON_NO_DATA,
  };
}

/** An amount in the words of a sentence. */
export interface AmountWords {
  readonly gate: string;
  readonly signal: AmountSignal;
  readonly what: string;
  readonly from: string;
}

export interface AmountState {
  readonly told: ByArm<boolean>;
  /** Blocks at the share in force, for where users are not told apart. */
  readonly stage: ByArm<ClusterSums> & { readonly candidateBp: Bp | null };
}

interface Compared {
  readonly ratio: number;
  /** In the signal's own unit. */
  readonly means: ByArm<number>;
  readonly lnDeviation: number;
  /** Users of the smaller arm, or blocks where users are not told apart. */
  readonly least: number;
  readonly samples: ByArm<number>;
  readonly ofUsers: boolean;
}

/** The ratio of means over users, else over blocks; its deviation on the logarithm by the delta method. */
function compare(signal: AmountSignal, { stage }: AmountState, units: UnitView | undefined): Compared | null {
  const byUnits = units?.signals.difference(signal) ?? null;
  const [stable, candidate] = [clusteredMean(stage.stable), clusteredMean(stage.candidate)];
  const means = byUnits?.rates ?? { stable: stable?.mean ?? 0, candidate: candidate?.mean ?? 0 };
  const variances = byUnits?.variances ?? { stable: stable?.variance ?? 0, candidate: candidate?.variance ?? 0 };
  const samples = byUnits?.units ?? { stable: stage.stable.clusters, candidate: stage.candidate.clusters };
  const least = Math.min(samples.stable, samples.candidate);
  if (least < 2 || !(means.stable > 0) || !(means.candidate > 0)) return null;
  const relative = variances.candidate / means.candidate ** 2 + variances.stable / means.stable ** 2;
  const lnDeviation = Math.sqrt(relative * least);
  const ratio = means.candidate / means.stable;
  const own = (mean: number) => (byUnits === null ? mean : amountOf(signal, mean));
  const shown = { stable: own(means.stable), candidate: own(means.candidate) };
  return { ratio, means: shown, lnDeviation, least, samples, ofUsers: byUnits !== null };
}

/** The least error probability at which an interval says nothing any more. */
const PROBABILITY_MAX = 0.4;

/** Half-width of the logarithm of the ratio that holds at every look. */
function halfWidth({ least, lnDeviation }: Compared, probability: number): number {
  return asymptoticHalfWidth(least, lnDeviation, Math.min(PROBABILITY_MAX, probability), TUNED_FOR, "one-sided");
}

function isBeyond(compared: Compared, { alpha, harmRatio, minUsers }: AmountOptions): boolean {
  if (compared.least < minUsers) return false;
  return Math.log(compared.ratio) - halfWidth(compared, alpha) > Math.log(harmRatio);
}

/** Whether the candidate's mean is proven to be beyond `harmRatio` times stable's. */
export function isAmountProven(
  signal: AmountSignal,
  state: AmountState,
  options: AmountOptions,
  units: UnitView | undefined,
): boolean {
  const compared = compare(signal, state, units);
  return compared !== null && isBeyond(compared, options);
}

/** The verdict on an amount of answers. @source statistics.md (d), means of tokens and cost */
export function amountVerdict(
  { gate, signal, what, from }: AmountWords,
  state: AmountState,
  stage: StageView,
  options: AmountOptions,
): Verdict {
  const margin = boundAt(options.margin, stage.candidateBp);
  const compared = compare(signal, state, stage.units);
  const samples = compared?.samples ?? {
    stable: state.stage.stable.clusters,
    candidate: state.stage.candidate.clusters,
  };
  const base = { gate, samples, threshold: margin, alpha: options.alpha };
  if (!state.told.stable && !state.told.candidate) {
    const reason = `nothing tells ${what} of either arm`;
    return trafficVerdict(base, "no-data", { estimate: null, reason, needs: `${from} that tells of it` });
  }
  if (compared === null) {
    const silent = state.told.candidate ? (state.told.stable ? null : "stable") : "the candidate";
    const reason =
      silent === null
        ? `${what}: too little was told of either arm to compare`
        : `${what} is told of one arm and not of ${silent}`;
    const needs = `${from} of ${silent ?? "both arms"}, or a person`;
    return trafficVerdict(base, "inconclusive", { estimate: null, reason, needs });
  }
  const { ratio, means, least, ofUsers } = compared;
  const half = halfWidth(compared, options.beta);
  const interval = [ratio * Math.exp(-half), ratio * Math.exp(half)] as const;
  const finding = { estimate: ratio, interval };
  const [own, stables] = [means.candidate, means.stable].map((mean) => Number(mean.toPrecision(3)));
  const over = ofUsers ? "mean over users" : "mean over seconds of traffic";
  const found = `${what} ${own} against ${stables} on stable (${ratio.toFixed(2)}x, ${over})`;
  if (isBeyond(compared, options)) {
    const reason = `${found}: beyond ${options.harmRatio}x is proven`;
    const proven = { ...base, threshold: options.harmRatio };
    if (options.onHarm === "stop") return trafficVerdict(proven, "fail", { ...finding, reason });
    return trafficVerdict(proven, "inconclusive", {
      ...finding,
      reason: `${reason}, so the share is held`,
      needs: ASKS,
    });
  }
  if (least >= options.minUsers && interval[1] <= margin)
    return trafficVerdict(base, "pass", { ...finding, reason: `${found}: beyond ${margin}x is excluded` });
  const reason = `${found}: beyond ${margin}x is not excluded yet`;
  return trafficVerdict(base, "inconclusive", { ...finding, reason, needs: neededFor(compared, margin, options) });
}

function neededFor(compared: Compared, margin: number, { beta, minUsers }: AmountOptions): string {
  const { ratio, least, ofUsers } = compared;
  const of = ofUsers ? "users of the smaller arm" : "seconds of traffic";
  if (least < minUsers) return `${minUsers - least} more ${of}`;
  const room = Math.log(margin / ratio);
  if (room <= 0) return `a lower one, or ${ASKS}`;
  // An interval narrows with the root of what was seen.
  const times = (halfWidth(compared, beta) / room) ** 2;
  return `about ${Math.max(1, Math.ceil(least * (times - 1)))} more ${of}`;
}
