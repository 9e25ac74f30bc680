import type { ByArm } from "../../arm.ts";
import { isRateHigher } from "../../by-unit/cluster-difference.ts";
import type { UnitView } from "../../by-unit/unit-evidence.ts";
import { type BernoulliEProcess, foldBernoulli } from "../../stats/bernoulli-e-process.ts";
import { startExceedances } from "../../stats/quantile.ts";
import type { Bp } from "../../unit.ts";
import type { Verdict } from "../../verdict.ts";
import {
  binOf,
  countAbove,
  countBins,
  lowerEdgeMs,
  mergeBins,
  quantileOf,
  type SparseBins,
  upperEdgeMs,
} from "../../window/sketch.ts";
import type { Block } from "../block.ts";
import { defineGate, type Gate, type TrafficPart } from "../definition.ts";
import { foldLatencyWatch, isLatencyAlarmed, type LatencyWatch, NEW_LATENCY_WATCH } from "./latency-watch.ts";
import {
  ALPHA,
  BETA,
  boundAt,
  byShare,
  milliseconds,
  minSamples,
  MODE,
  number,
  type OptionsOf,
  RATIO,
} from "../fields.ts";
import { heldText, neededText } from "./p95-progress.ts";
import { countFrom, measureP95, p95RatioInterval, QUANTILE } from "./p95-ratio.ts";
import { isAfterComparing, tallyPlace } from "../traffic/stage-tally.ts";
import { p95Needs } from "./p95-needs.ts";
import { foldSwings, NEW_SWING_GUARD, outlastsSwings, type SwingGuard } from "./swing-guard.ts";
import { trafficVerdict, type VerdictBase } from "../traffic/traffic-verdict.ts";

const OPTIONS = {
  mode: MODE,
  alpha: ALPHA,
  beta: BETA,
  harmRatio: number(RATIO, {
    says: "the ratio candidate/stable that is tolerated; harm is a higher one, proven or, literally, estimated",
    fallback: 1.1,
    stricter: "lower",
  }),
  margin: byShare(RATIO, {
    says: "the ratio that must be excluded before promotion",
    fallback: { under10: 1.5, under50: 1.25, from50: 1.25 },
    stricter: "lower",
  }),
  minSamples: minSamples("the least warm candidate answers before promotion", 60),
  swingMs: milliseconds({
    says: "how long in ms an arm may be slow or fast by itself: harm is proven once it outlasts such swings",
    fallback: 15_000,
    stricter: "lower",
  }),
};

/** How the p95 of both arms is compared. */
export type P95Options = OptionsOf<typeof OPTIONS>;

export interface P95State {
  /** Stable's last warm answers, which the threshold is taken from. */
  readonly recent: Recent;
  /** Warm answers at the share in force: both arms in the same hours. */
  readonly stage: ByArm<SparseBins> & { readonly candidateBp: Bp | null };
  readonly harm: BernoulliEProcess;
  /** The same exceedances by the stretch, so that an arm's own swings are not taken for harm. */
  readonly swings: SwingGuard;
  /** At 100 %, against the slowest stretch stable left behind. */
  readonly watch: LatencyWatch;
  /** One proof for each distinct margin of the plan, keyed by the ratio. */
  readonly proofs: Readonly<Record<string, BernoulliEProcess>>;
}

/** A full batch of answers and the one being filled; together the last `RECENT_SAMPLES` to twice as many. */
interface Recent {
  readonly full: SparseBins;
  readonly filling: SparseBins;
}

/**
 * A threshold of all answers since the start would keep a bad first minute, or yesterday's noon, for hours: nothing
 * would exceed it, and nothing could be proven. A threshold may follow stable at will as long as it is taken from the
 * past.
 */
const RECENT_SAMPLES = 1_000;

function withRecent({ full, filling }: Recent, bins: SparseBins): Recent {
  const filled = mergeBins(filling, bins);
  return countBins(filled) < RECENT_SAMPLES ? { full, filling: filled } : { full: filled, filling: [] };
}

/** Warm answers of stable before its p95 is taken as a threshold. Blocks until then are kept for the estimate only. */
const THRESHOLD_SAMPLES = 20;

function start(options: P95Options): P95State {
  const { under10, under50, from50 } = options.margin;
  return {
    recent: { full: [], filling: [] },
    stage: { stable: [], candidate: [], candidateBp: null },
    harm: startExceedances(QUANTILE, "higher"),
    swings: NEW_SWING_GUARD,
    watch: NEW_LATENCY_WATCH,
    proofs: Object.fromEntries(
      [under10, under50, from50].map((ratio) => [String(ratio), startExceedances(QUANTILE, "lower")]),
    ),
  };
}

function stageWith(stage: P95State["stage"], block: Block): P95State["stage"] {
  const place = tallyPlace(stage.candidateBp, block);
  if (place === "late" || isAfterComparing(stage.candidateBp, block)) return stage;
  const before = place === "same" ? stage : { stable: [], candidate: [] };
  const { arms, candidateBp } = block;
  return {
    stable: mergeBins(before.stable, arms.stable.warm),
    candidate: mergeBins(before.candidate, arms.candidate.warm),
    candidateBp,
  };
}

/** Part of stable's answers in its p95's bin and above, beyond which the lower edge separates too little. */
const HEAVY_BIN = 0.25;

/**
 * One block of exceedances. The threshold is stable's p95 over its last answers of EARLIER blocks, rounded down to its
 * bin's edge so that stable's count is exact; the candidate's is rounded against the claim, so the sketch's resolution
 * never makes evidence. Where so many of stable's answers fall into that one bin that nothing could be much worse than
 * the lower edge, harm is counted from the upper one.
 */
function fold(state: P95State, block: Block, options: P95Options): P95State {
  const { stable, candidate } = block.arms;
  const stage = stageWith(state.stage, block);
  const watch = foldLatencyWatch(state.watch, block, options.margin.from50);
  if (options.mode === "literal") return { ...state, stage, watch };
  const before = mergeBins(state.recent.full, state.recent.filling);
  const recent = withRecent(state.recent, stable.warm);
  const p95Ms = countBins(before) < THRESHOLD_SAMPLES ? null : quantileOf(before, QUANTILE);
  if (p95Ms === null) return { ...state, stage, watch, recent };
  const bin = binOf(p95Ms);
  const isHeavy = countFrom(before, p95Ms) > HEAVY_BIN * countBins(before);
  const totals = { stable: countBins(stable.warm), candidate: countBins(candidate.warm) };
  const slowStable = { failures: countFrom(stable.warm, p95Ms), total: totals.stable };
  const harmMs = (isHeavy ? upperEdgeMs(bin) : lowerEdgeMs(bin)) * options.harmRatio;
  const harmBlock = {
    stable: isHeavy ? { failures: countAbove(stable.warm, p95Ms), total: totals.stable } : slowStable,
    candidate: { failures: countAbove(candidate.warm, harmMs), total: totals.candidate },
  };
  const proofs = Object.entries(state.proofs).map(([ratio, proof]) => {
    const failures = countFrom(candidate.warm, lowerEdgeMs(bin) * Number(ratio));
    return [
      ratio,
      foldBernoulli(proof, { stable: slowStable, candidate: { failures, total: totals.candidate } }),
    ] as const;
  });
  const harm = foldBernoulli(state.harm, harmBlock);
  return {
    stage,
    recent,
    harm,
    swings: foldSwings(state.swings, block, harmBlock, { swingMs: options.swingMs, logE: harm.logE }),
    watch,
    proofs: Object.fromEntries(proofs),
  };
}

/** Literal mode: the stage's own ratio beyond the stop limit, once both arms have `minSamples`. */
function isOverLiterally({ stage }: P95State, { harmRatio, minSamples }: P95Options): boolean {
  const isEnough = Math.min(countBins(stage.stable), countBins(stage.candidate)) >= minSamples;
  return isEnough && (measureP95(stage)?.ratio ?? 0) > harmRatio;
}

/** The watch at 100 % speaks for itself: nothing is left to compare with, and perhaps never was. */
function alarmVerdict(base: VerdictBase, { detector, worstStableMs }: LatencyWatch, margin: number): Verdict {
  const { failures, total } = detector.seen;
  const reason = `${failures} of ${total} minutes since all users are on the candidate had a p95 beyond ${margin}x that of stable's slowest minute, ${worstStableMs?.toFixed(0)} ms`;
  return trafficVerdict(base, "fail", { estimate: failures / total, reason });
}

/** Which blocks a p95 gate looks at, and what it is called. */
interface P95Gate<Name extends string = string> {
  readonly name: Name;
  readonly condition: string;
  readonly says: string;
  readonly unit: string;
  readonly from: string;
  /** What a slow candidate means; completes "The candidate …". */
  readonly means: string;
  readonly counts: "requests" | "pairs";
  /** What it compares of a block; null for nothing. */
  readonly comparedIn: (block: Block) => Block | null;
  /** One of what it compares, as `no … of stable` says it, and what is missing when no block was accepted. */
  readonly compares: string;
  readonly needs: string;
}

/** Slowness follows users as failures do: where they are told apart, it must also show in rates averaged over them. */
function isSlowByUser(units: UnitView | undefined): boolean {
  return units?.tells("slow") !== true || isRateHigher(units.difference("slow"));
}

function trafficPart({
  name,
  counts,
  comparedIn,
  compares,
  needs: missingData,
}: P95Gate): TrafficPart<P95Options, P95State> {
  const isHarmProven = (state: P95State, options: P95Options, units?: UnitView): boolean =>
    isLatencyAlarmed(state.watch) ||
    (options.mode === "literal"
      ? isOverLiterally(state, options)
      : state.harm.logE >= Math.log(1 / options.alpha) &&
        outlastsSwings(state.swings) &&
        (counts === "pairs" || isSlowByUser(units)));
  return {
    start,
    fold(state, block, options) {
      const compared = comparedIn(block);
      return compared === null ? state : fold(state, compared, options);
    },
    isHarmProven,
    decide(state, stage, options): Verdict {
      const isLiteral = options.mode === "literal";
      const warm = state.stage;
      const margin = boundAt(options.margin, stage.candidateBp);
      const samples = { stable: countBins(warm.stable), candidate: countBins(warm.candidate) };
      const base = { gate: name, samples, threshold: margin, alpha: isLiteral ? null : options.alpha };
      if (isLatencyAlarmed(state.watch)) return alarmVerdict(base, state.watch, options.margin.from50);
      const measured = measureP95(warm);
      if (measured === null) {
        const reason = `no ${compares} of ${samples.stable === 0 ? "stable" : "the candidate"} at this share yet`;
        return trafficVerdict(base, "no-data", { estimate: null, reason, needs: missingData });
      }
      const { stableMs, candidateMs, ratio } = measured;
      const logE = isLiteral ? null : state.harm.logE;
      const finding = { estimate: ratio, interval: p95RatioInterval(warm), logE };
      const found = `warm p95 ${candidateMs.toFixed(0)} ms against ${stableMs.toFixed(0)} ms (${ratio.toFixed(2)}x)`;
      if (isHarmProven(state, options, stage.units)) {
        const reason = `${found}: worse than ${options.harmRatio}x${isLiteral ? "" : " is proven"}`;
        return trafficVerdict({ ...base, threshold: options.harmRatio }, "fail", { ...finding, reason });
      }
      const missing = options.minSamples - Math.min(samples.candidate, isLiteral ? samples.stable : samples.candidate);
      const proof = state.proofs[String(margin)];
      const isExcluded = isLiteral || (proof !== undefined && proof.logEMax >= Math.log(1 / options.beta));
      if (isExcluded && ratio <= margin && missing <= 0) {
        const reason = isLiteral ? `${found}: within ${margin}x` : `${found}: worse than ${margin}x is excluded`;
        return trafficVerdict(base, "pass", { ...finding, reason });
      }
      if (!isLiteral && isExcluded && ratio > margin) {
        const reason = `${found}: over ${margin}x at this share, though the rollout so far excludes it`;
        return trafficVerdict(base, "inconclusive", { ...finding, reason, needs: "a lower p95 at this share" });
      }
      const held = heldText(state, options, margin, finding.interval?.[1] ?? null);
      const needs = neededText(state, missing, options, stage);
      return trafficVerdict(base, "inconclusive", { ...finding, reason: `${found}: ${held}`, needs });
    },
  };
}

/** @source requirements.md RB-10, DS-6 */
const LOOK_AT =
  "where the time goes (retrieve, rerank, generate, body): memory and concurrency of the instances, and for the body the size of stream pieces";

/**
 * Warm p95 of the candidate against stable's, as a ratio. Harm: candidate latencies divided by `harmRatio` still exceed
 * stable's p95 more often than stable's own do. Proof: divided by the stage's margin they exceed it less often. Both
 * are compared second by second, so drift that hits both arms is no evidence, and both are valid at any look. An arm
 * that swings by itself is told from a slow one by the spread of its stretches.
 * @source decision-policy.md "Margins"; statistics.md (b) on exceedances of a predictable threshold (GQ-14, CW-3, CW-5)
 */
export function p95Gate<const Name extends string>(gate: P95Gate<Name>): Gate<Name, typeof OPTIONS> {
  const { name, counts, condition, says, unit, from, means } = gate;
  return defineGate({
    name,
    reads: "traffic",
    counts,
    says,
    unit,
    from,
    options: OPTIONS,
    conditions: { [condition]: { means, lookAt: LOOK_AT } },
    eventField: "latency_ms",
    worst: "latency",
    ...(counts === "pairs" ? {} : { needs: p95Needs }),
    traffic: trafficPart(gate),
  });
}
