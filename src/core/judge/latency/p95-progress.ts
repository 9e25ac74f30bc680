import type { BernoulliEProcess } from "../../stats/bernoulli-e-process.ts";
import { secondsToProof } from "../../stats/power.ts";
import { countBins, mergeBins, quantileOf } from "../../window/sketch.ts";
import type { StageView } from "../block.ts";
import { boundAt } from "../fields.ts";
import { innerShare } from "../needs.ts";
import type { P95Options, P95State } from "./p95-gate.ts";
import { countFrom, measureP95, QUANTILE } from "./p95-ratio.ts";

type Shared = Pick<StageView, "candidateBp">;

/**
 * Warm candidate answers still missing to a proof, were the candidate's answers stable's own, slower by the ratio seen:
 * what a proof needs from its beginning, less the evidence there is. Null where such a candidate is never proven.
 */
function answersToProof(state: P95State, proof: BernoulliEProcess, options: P95Options, stage: Shared): number | null {
  const margin = boundAt(options.margin, stage.candidateBp);
  const recent = mergeBins(state.recent.full, state.recent.filling);
  const p95Ms = quantileOf(recent, QUANTILE);
  if (p95Ms === null) return null;
  const rateBeyond = (ms: number) => countFrom(recent, ms) / countBins(recent);
  const [stableRate, candidateRate] = [
    rateBeyond(p95Ms),
    rateBeyond((p95Ms * margin) / (measureP95(state.stage)?.ratio ?? 1)),
  ];
  if (candidateRate >= stableRate) return null;
  const candidateShare = innerShare(stage.candidateBp);
  const { stable, candidate, blocks } = proof;
  const perBlock = Math.max(1, (stable.total + candidate.total) / Math.max(1, blocks)); // Larger ones show more.
  const traffic = { requestsPerSecond: perBlock, candidateShare, candidateRate, stableRate, alpha: options.beta };
  const whole = (secondsToProof(traffic) ?? 0) * perBlock * candidateShare;
  const lacking = 1 - proof.logE / Math.log(1 / options.beta);
  return Math.max(1, Math.ceil(whole * lacking));
}

/** What is missing to a pass: answers, or that a difference becomes clear or ends. */
export function neededText(state: P95State, missing: number, options: P95Options, stage: Shared): string {
  const least = missing > 0 ? `${missing} more warm candidate requests` : null;
  if (options.mode === "literal") return least ?? "a lower p95";
  if (isSwinging(state, options)) {
    const { stretches } = state.swings;
    return `slowness in stretch after stretch of ${options.swingMs / 1_000} s, ${stretches} so far, or its end`;
  }
  const proof = state.proofs[String(boundAt(options.margin, stage.candidateBp))] ?? state.harm;
  const more = answersToProof(state, proof, options, stage);
  if (more === null)
    return least ?? "more warm requests: the candidate is beyond it as often as stable is beyond its own p95";
  return missing >= more ? (least ?? "") : `about ${more} more warm candidate requests`;
}

/** Slower than tolerated by the evidence, and perhaps not for longer than an arm may be by itself. */
function isSwinging({ harm }: P95State, { mode, alpha }: P95Options): boolean {
  return mode !== "literal" && harm.logE >= Math.log(1 / alpha);
}

/** Why a share is held that is neither proven slow nor proven fast enough. */
export function heldText(state: P95State, options: P95Options, margin: number, high: number | null): string {
  if (options.mode === "literal") return `not yet known to be within ${margin}x`;
  if (isSwinging(state, options)) return `slower than ${options.harmRatio}x, which may be a swing and pass`;
  // The interval is of one look; what excludes has to hold at every look.
  const isAhead = high !== null && high < margin;
  return isAhead ? `probably within ${margin}x, which is not proven yet` : `worse than ${margin}x is not excluded yet`;
}
