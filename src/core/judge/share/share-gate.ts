import type { ByArm } from "../../arm.ts";
import { type BernoulliEProcess, foldBernoulli, startBernoulliEProcess } from "../../stats/bernoulli-e-process.ts";
import { lnBetaBinomial } from "../../stats/beta-binomial.ts";
import { type ArmCount, addCounts, type CountBlock, NO_COUNTS } from "../../stats/count-block.ts";
import { type ExcessEProcess, foldExcess, lnExcess, startExcess } from "../../stats/excess-e-process.ts";
import { EACH_ARM_Z, wilson, wilsonDifference } from "../../stats/wilson.ts";
import type { Bp } from "../../unit.ts";
import type { Verdict } from "../../verdict.ts";
import type { Block } from "../block.ts";
import { type Advice, defineGate, type Gate, type TrafficPart } from "../definition.ts";
import {
  ALPHA,
  BETA,
  type Field,
  minSamples,
  MODE,
  number,
  numberOrNone,
  ON_NO_DATA,
  RATIO,
  SHARE,
} from "../fields.ts";
import { type LimitOptions, shareNeeds, TUNED_FOR } from "./needs.ts";
import { countOrNone, type ShareMeasure } from "./share-measure.ts";
import { isAfterComparing, tallyPlace } from "../traffic/stage-tally.ts";
import { percent, trafficVerdict } from "../traffic/traffic-verdict.ts";

interface State {
  /** Everything of the rollout, and of the share in force. */
  readonly all: CountBlock;
  readonly stage: CountBlock & { readonly bp: Bp | null };
  /** Whether any window said anything about it. */
  readonly isWatched: boolean;
  /** Evidence that the candidate does worse than stable, and that it is within `stop`; null where not compared. */
  readonly harm: BernoulliEProcess | null;
  readonly proof: ExcessEProcess | null;
}

const share = ({ failures, total }: ArmCount): number => (total === 0 ? 0 : failures / total);

/** The point estimate in the gate's unit. Nothing on the candidate is no excess, whatever stable shows. */
function estimateOf(measure: ShareMeasure, { stable, candidate }: CountBlock): number {
  if (measure.comparison === "absolute") return share(candidate);
  if (measure.comparison === "difference") return share(candidate) - share(stable);
  return candidate.failures === 0 ? 0 : share(candidate) / share(stable);
}

function intervalOf(measure: ShareMeasure, counts: CountBlock): readonly [number, number] | null {
  const { failures, total } = counts.candidate;
  if (total === 0 || measure.comparison === "ratio") return null;
  return measure.comparison === "absolute" ? wilson(failures, total, EACH_ARM_Z) : wilsonDifference(counts);
}

function lnBeyond({ candidate }: CountBlock, limit: number, alpha: number, side: "above" | "below"): number {
  const tally = { successes: candidate.failures, total: candidate.total };
  return lnBetaBinomial(tally, limit, { samples: TUNED_FOR, alpha }, side);
}

/** ln of the evidence for harm: beyond `stop` where the arm stands alone, worse than stable where it is compared. */
function lnHarm(state: State, { stop, alpha }: LimitOptions): number {
  if (state.harm !== null) return state.harm.logE;
  return stop === null ? 0 : lnBeyond(state.all, stop, alpha, "above");
}

/**
 * Harm beyond `stop` is excluded at error rate beta; without a stop limit, or as a ratio, the estimate alone decides.
 */
function isExcluded(state: State, { stop, beta }: LimitOptions): boolean {
  if (stop === null) return true;
  if (state.proof !== null) return lnExcess(state.proof, stop) >= Math.log(1 / beta);
  return state.harm !== null || lnBeyond(state.all, stop, beta, "below") >= Math.log(1 / beta);
}

function shown(measure: ShareMeasure, value: number): string {
  if (measure.comparison === "ratio") return Number.isFinite(value) ? `${value.toFixed(2)}x` : "stable has none";
  return measure.comparison === "difference" ? `${(value * 100).toFixed(2)} points` : percent(value);
}

function describe(measure: ShareMeasure, counts: CountBlock, estimate: number): string {
  const { what, among, comparison } = measure;
  const own = `${percent(share(counts.candidate))} ${what} of ${counts.candidate.total} ${among}`;
  if (comparison === "absolute") return own;
  return `${own} against ${percent(share(counts.stable))} on stable (${shown(measure, estimate)})`;
}

const isCompared = (measure: ShareMeasure): boolean => measure.comparison !== "absolute";

/** What is estimated: a comparison from the share's own hours, an arm that stands alone from all it did. */
function countsOf(measure: ShareMeasure, state: State, mode: LimitOptions["mode"]): CountBlock {
  return isCompared(measure) || mode === "literal" ? state.stage : state.all;
}

function isBeyondStop(measure: ShareMeasure, state: State, options: LimitOptions): boolean {
  const { mode, stop, alpha, minSamples } = options;
  if (stop === null) return false;
  const counts = countsOf(measure, state, mode);
  const { stable, candidate } = counts;
  if (candidate.total === 0 || !(estimateOf(measure, counts) > stop)) return false;
  if (mode === "sequential") return lnHarm(state, options) >= Math.log(1 / alpha);
  return candidate.total >= minSamples && (!isCompared(measure) || stable.total >= minSamples);
}

function stageWith(measure: ShareMeasure, stage: State["stage"], block: Block, counts: CountBlock): State["stage"] {
  const place = tallyPlace(stage.bp, block);
  if (place === "late" || (isCompared(measure) && isAfterComparing(stage.bp, block))) return stage;
  return { ...addCounts(place === "same" ? stage : NO_COUNTS, counts), bp: block.candidateBp };
}

function decide(name: string, measure: ShareMeasure, state: State, options: LimitOptions): Verdict {
  const counts = countsOf(measure, state, options.mode);
  const samples: ByArm<number> = { stable: counts.stable.total, candidate: counts.candidate.total };
  const alpha = options.mode === "literal" ? null : options.alpha;
  const base = { gate: name, samples, threshold: options.promote, alpha };
  if (counts.candidate.total === 0) {
    const reason = state.isWatched
      ? `no ${measure.among} on the candidate yet`
      : `nothing reports ${measure.what} of the candidate`;
    return trafficVerdict(base, "no-data", { estimate: null, reason, needs: measure.among });
  }
  const estimate = estimateOf(measure, counts);
  const logE = alpha === null ? null : lnHarm(state, options);
  const finding = {
    estimate: Number.isFinite(estimate) ? estimate : null,
    interval: intervalOf(measure, counts),
    logE,
  };
  const found = describe(measure, counts, estimate);
  if (isBeyondStop(measure, state, options)) {
    const reason = `${found}: beyond the stop limit of ${shown(measure, options.stop ?? 0)}`;
    return trafficVerdict({ ...base, threshold: options.stop }, "fail", { ...finding, reason });
  }
  const missing = Math.max(
    0,
    options.minSamples - counts.candidate.total,
    isCompared(measure) ? options.minSamples - counts.stable.total : 0,
  );
  if (missing > 0) {
    const reason = `${found}: too few to decide`;
    return trafficVerdict(base, "inconclusive", { ...finding, reason, needs: `${missing} more ${measure.among}` });
  }
  if (!(estimate <= options.promote)) {
    const reason = `${found}: over ${shown(measure, options.promote)}, which a stage may be left with`;
    return trafficVerdict(base, "inconclusive", { ...finding, reason, needs: "a lower share, or a person" });
  }
  if (options.mode === "sequential" && !isExcluded(state, options)) {
    const reason = `${found}: harm beyond ${shown(measure, options.stop ?? 0)} is not excluded yet`;
    return trafficVerdict(base, "inconclusive", { ...finding, reason, needs: `more ${measure.among}` });
  }
  const reason = `${found}: at most ${shown(measure, options.promote)} is wanted`;
  return trafficVerdict(base, "pass", { ...finding, reason });
}

function sharePart(name: string, measure: ShareMeasure): TrafficPart<LimitOptions, State> {
  return {
    start: ({ mode, stop }) => ({
      all: NO_COUNTS,
      stage: { ...NO_COUNTS, bp: null },
      isWatched: false,
      harm: mode === "sequential" && isCompared(measure) ? startBernoulliEProcess() : null,
      proof:
        mode === "sequential" && measure.comparison === "difference" && stop !== null
          ? startExcess({ margins: [stop] })
          : null,
    }),
    fold(state, block) {
      const { arms } = block;
      const counts = { stable: countOrNone(measure, arms.stable), candidate: countOrNone(measure, arms.candidate) };
      const isWatched = state.isWatched || measure.count(arms.candidate) !== null;
      if (counts.stable.total + counts.candidate.total === 0) return { ...state, isWatched };
      return {
        all: addCounts(state.all, counts),
        stage: stageWith(measure, state.stage, block, counts),
        isWatched,
        harm: state.harm === null ? null : foldBernoulli(state.harm, counts),
        proof: state.proof === null ? null : foldExcess(state.proof, counts),
      };
    },
    isHarmProven: (state, options) => isBeyondStop(measure, state, options),
    decide: (state, _stage, options) => decide(name, measure, state, options),
  };
}

/** What is the same for every share but for its limits. An alias, so that declarations of gates can spell it out. */
type LimitFields = {
  readonly mode: typeof MODE;
  readonly alpha: typeof ALPHA;
  readonly beta: typeof BETA;
  readonly onNoData: typeof ON_NO_DATA;
  readonly promote: Field<number>;
  readonly stop: Field<number | null>;
  readonly minSamples: Field<number>;
  readonly [option: string]: Field<unknown>;
};

interface Limits {
  readonly promote: number;
  readonly stop: number | null;
  readonly minSamples: number;
}

function limitFields({ comparison }: ShareMeasure, limits: Limits): LimitFields {
  const form = comparison === "ratio" ? RATIO : SHARE;
  return {
    mode: MODE,
    alpha: ALPHA,
    beta: BETA,
    onNoData: ON_NO_DATA,
    promote: number(form, {
      says: "the estimate a stage may be left with",
      fallback: limits.promote,
      stricter: "lower",
    }),
    stop: numberOrNone(form, {
      says: "the limit beyond which the candidate is stopped; null: it never stops alone, it holds",
      fallback: limits.stop,
      stricter: "lower",
    }),
    minSamples: minSamples("the least observations of each arm that is compared", limits.minSamples),
  };
}

/** A share that has a gate: what is counted, its limits, and what a person is told. */
interface ShareGate<Name extends string> extends ShareMeasure {
  readonly gate: Name;
  readonly condition: string;
  readonly unit: string;
  readonly from: string;
  readonly limits: Limits;
  readonly advice: Advice;
  readonly worst?: "failures";
  readonly eventField?: string;
}

/**
 * The gate of one share. Sequential: stops when harm is proven and the estimate lies beyond `stop`; promotes when the
 * estimate is within `promote` and harm beyond `stop` excluded. For a comparison harm is "worse than stable", so that a
 * healthy candidate is stopped with probability alpha at most; the estimate then says whether it is beyond the limit.
 * Literal: the estimate of the stage alone.
 * @source decision-policy.md, "Three questions per gate" and "Literal mode"
 */
export function shareGate<const Name extends string>(share: ShareGate<Name>): Gate<Name, LimitFields> {
  const { gate, condition, what, among, unit, from, limits, advice, worst, eventField } = share;
  const against = share.comparison === "absolute" ? "" : " than on stable";
  return defineGate({
    name: gate,
    reads: "traffic",
    counts: "requests",
    says: `Are there too many ${what} among ${among}${against === "" ? "" : ", more"}${against}?`,
    unit,
    from,
    options: limitFields(share, limits),
    conditions: { [condition]: advice },
    mayStop: ({ stop }) => stop !== null,
    needs: (options, stage, assumed) => shareNeeds(share, options, stage, assumed),
    traffic: sharePart(gate, share),
    ...(worst === undefined ? {} : { worst }),
    ...(eventField === undefined ? {} : { eventField }),
  });
}
