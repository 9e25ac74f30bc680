import type { ByArm } from "../arm.ts";
import { type BernoulliEProcess, foldBernoulli } from "../stats/bernoulli-e-process.ts";
import { startExceedances } from "../stats/quantile.ts";
import type { Verdict } from "../verdict.ts";
import { binOf, countAbove, countBins, lowerEdgeMs, mergeBins, quantileOf, type SparseBins } from "../window/sketch.ts";
import type { Block, TrafficGate } from "./gate.ts";
import { boundAt, type P95WarmOptions } from "./options.ts";

interface State {
  readonly warm: ByArm<SparseBins>;
  readonly harm: BernoulliEProcess;
  /** One proof for each distinct margin of the plan, keyed by the ratio. */
  readonly proofs: Readonly<Record<string, BernoulliEProcess>>;
}

/** Warm answers of stable before its p95 is taken as a threshold. Blocks until then are kept for the estimate only. */
const THRESHOLD_SAMPLES = 20;
const QUANTILE = 0.95;

function start(options: P95WarmOptions): State {
  const { under10, under50, from50 } = options.margin;
  return {
    warm: { stable: [], candidate: [] },
    harm: startExceedances(QUANTILE, "higher"),
    proofs: Object.fromEntries(
      [under10, under50, from50].map((ratio) => [String(ratio), startExceedances(QUANTILE, "lower")]),
    ),
  };
}

/** Answers slower than `thresholdMs`, leaving out the bin that holds it: at most the true number. */
const fewerAbove = countAbove;

/** The same, counting that bin whole: at least the true number. */
function moreAbove(bins: SparseBins, thresholdMs: number): number {
  return countAbove(bins, lowerEdgeMs(Math.max(0, binOf(thresholdMs) - 1)));
}

/**
 * One block of exceedances. The threshold is stable's p95 over EARLIER blocks, rounded down to a bin's edge so that
 * stable's count is exact, also when its answers all fall into one bin; the candidate's is rounded against the claim, so sketch resolution never makes evidence.
 */
function fold(state: State, block: Block, options: P95WarmOptions): State {
  const { stable, candidate } = block.arms;
  const warm = {
    stable: mergeBins(state.warm.stable, stable.warm),
    candidate: mergeBins(state.warm.candidate, candidate.warm),
  };
  const p95Ms = countBins(state.warm.stable) < THRESHOLD_SAMPLES ? null : quantileOf(state.warm.stable, QUANTILE);
  if (p95Ms === null) return { ...state, warm };
  const thresholdMs = lowerEdgeMs(binOf(p95Ms));
  const slowStable = { failures: moreAbove(stable.warm, p95Ms), total: countBins(stable.warm) };
  const total = countBins(candidate.warm);
  const harmBlock = {
    stable: slowStable,
    candidate: { failures: fewerAbove(candidate.warm, thresholdMs * options.harmRatio), total },
  };
  const proofs = Object.entries(state.proofs).map(([ratio, proof]) => {
    const failures = moreAbove(candidate.warm, thresholdMs * Number(ratio));
    return [ratio, foldBernoulli(proof, { stable: slowStable, candidate: { failures, total } })] as const;
  });
  return { warm, harm: foldBernoulli(state.harm, harmBlock), proofs: Object.fromEntries(proofs) };
}

/** Two-sided 97.5 % rank interval of one arm's p95; both arms together give at least 95 %. */
const RANK_Z = 2.2414;

function p95Interval(bins: SparseBins): readonly [number, number] | null {
  const count = countBins(bins);
  const spread = RANK_Z * Math.sqrt(QUANTILE * (1 - QUANTILE) * count);
  if (count === 0 || QUANTILE * count + spread >= count) return null;
  const low = quantileOf(bins, Math.max(0, QUANTILE - spread / count));
  const high = quantileOf(bins, Math.min(1, QUANTILE + spread / count));
  return low === null || high === null ? null : [low, high];
}

function ratioInterval(warm: ByArm<SparseBins>): readonly [number, number] | null {
  const [stable, candidate] = [p95Interval(warm.stable), p95Interval(warm.candidate)];
  return stable === null || candidate === null ? null : [candidate[0] / stable[1], candidate[1] / stable[0]];
}

function neededText(proof: BernoulliEProcess, beta: number, samples: number): string {
  const wanted = Math.log(1 / beta);
  if (proof.logE <= 0) return "more warm requests: the difference is not clear yet";
  return `about ${Math.max(1, Math.ceil(samples * (wanted / proof.logE - 1)))} more warm candidate requests`;
}

/**
 * Warm p95 of the candidate against stable's, as a ratio. Harm: candidate latencies divided by `harmRatio` still exceed
 * stable's p95 more often than stable's own do. Proof: divided by the stage's margin they exceed it less often. Both
 * are compared second by second, so drift that hits both arms is no evidence, and both are valid at any look.
 * @source decision-policy.md "Margins"; statistics.md (b) on exceedances of a predictable threshold (GQ-14, CW-3, CW-5)
 */
export const p95Warm: TrafficGate<P95WarmOptions, State> = {
  kind: "traffic",
  name: "p95-warm",
  start,
  fold,
  isHarmProven: ({ harm }, { alpha }) => harm.logE >= Math.log(1 / alpha),
  decide(state, stage, options): Verdict {
    const margin = boundAt(options.margin, stage.candidateBp);
    const samples = { stable: countBins(state.warm.stable), candidate: countBins(state.warm.candidate) };
    const base = { gate: "p95-warm", samples, threshold: margin, alpha: options.alpha } as const;
    const p95Stable = quantileOf(state.warm.stable, QUANTILE);
    const p95Candidate = quantileOf(state.warm.candidate, QUANTILE);
    if (p95Stable === null || p95Candidate === null) {
      const reason = `no warm answer of ${p95Stable === null ? "stable" : "the candidate"} yet`;
      return { ...base, kind: "no-data", estimate: null, interval: null, eValue: null, reason, needs: "warm requests" };
    }
    const estimate = p95Candidate / p95Stable;
    const eValue = Math.exp(Math.min(700, state.harm.logE));
    const measured = { ...base, estimate, interval: ratioInterval(state.warm), eValue };
    const found = `warm p95 ${p95Candidate.toFixed(0)} ms against ${p95Stable.toFixed(0)} ms (${estimate.toFixed(2)}x)`;
    if (p95Warm.isHarmProven(state, options)) {
      return { ...measured, kind: "fail", reason: `${found}: worse than ${options.harmRatio}x is proven`, needs: null };
    }
    const proof = state.proofs[String(margin)];
    const isExcluded = proof !== undefined && proof.logEMax >= Math.log(1 / options.beta);
    if (isExcluded && estimate <= margin && samples.candidate >= options.minSamples) {
      return { ...measured, kind: "pass", reason: `${found}: worse than ${margin}x is excluded`, needs: null };
    }
    const missing = Math.max(0, options.minSamples - samples.candidate);
    const needs =
      missing > 0
        ? `${missing} more warm candidate requests`
        : neededText(proof ?? state.harm, options.beta, samples.candidate);
    return { ...measured, kind: "inconclusive", reason: `${found}: worse than ${margin}x is not excluded yet`, needs };
  },
};
