import type { ArmWindow } from "../window/window.ts";
import { type BernoulliEProcess, foldBernoulli, startBernoulliEProcess } from "../stats/bernoulli-e-process.ts";
import type { ArmCount } from "../stats/count-block.ts";
import {
  type ExcessEProcess,
  excludedMargin,
  foldExcess,
  lnExcess,
  requestsToMargin,
  startExcess,
} from "../stats/excess-e-process.ts";
import { wilson } from "../stats/wilson.ts";
import type { Verdict } from "../verdict.ts";
import type { TrafficGate } from "./gate.ts";
import { boundAt, type ErrorRateOptions } from "./options.ts";

interface State {
  readonly harm: BernoulliEProcess;
  /** Follows the plan's margins only: each one costs time in every block. */
  readonly proof: ExcessEProcess;
}

/** 97.5 % per arm, two-sided: both together give at least 95 % for the difference. */
const INTERVAL_Z = 2.2414;

function countOf(arm: ArmWindow): ArmCount {
  return { failures: arm.failures, total: arm.requests };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** Interval of candidate - stable from both arms' score intervals; null while an arm is empty. */
function differenceInterval(stable: ArmCount, candidate: ArmCount): readonly [number, number] | null {
  if (stable.total === 0 || candidate.total === 0) return null;
  const [stableLow, stableHigh] = wilson(stable.failures, stable.total, INTERVAL_Z);
  const [low, high] = wilson(candidate.failures, candidate.total, INTERVAL_Z);
  return [low - stableHigh, high - stableLow];
}

/**
 * Failure rate of the candidate against stable's, in absolute points. Harm: the two-sample e-process over all blocks
 * reaches 1/alpha, at any moment. Proof: a rate `margin` above stable's is excluded at error rate beta.
 * @source decision-policy.md, "Three questions per gate" and "Margins" (GQ-20, GQ-22, ST-2)
 */
export const errorRate: TrafficGate<ErrorRateOptions, State> = {
  kind: "traffic",
  name: "error-rate",
  start: ({ margin }) => {
    const margins = [...new Set([margin.under10, margin.under50, margin.from50])].sort((a, b) => a - b);
    return { harm: startBernoulliEProcess(), proof: startExcess({ margins }) };
  },
  fold: ({ harm, proof }, { arms }) => {
    const counts = { stable: countOf(arms.stable), candidate: countOf(arms.candidate) };
    return { harm: foldBernoulli(harm, counts), proof: foldExcess(proof, counts) };
  },

  isHarmProven: ({ harm }, { alpha }) => harm.logE >= Math.log(1 / alpha),

  decide({ harm, proof }, stage, options): Verdict {
    const { stable, candidate, logE } = harm;
    const margin = boundAt(options.margin, stage.candidateBp);
    const samples = { stable: stable.total, candidate: candidate.total };
    const base = { gate: "error-rate", samples, threshold: margin, alpha: options.alpha } as const;
    if (candidate.total === 0) {
      const reason = "the candidate has answered no request yet";
      return { ...base, kind: "no-data", estimate: null, interval: null, eValue: null, reason, needs: "traffic" };
    }
    const rate = candidate.failures / candidate.total;
    const stableRate = stable.total === 0 ? 0 : stable.failures / stable.total;
    const estimate = rate - stableRate;
    const eValue = Math.exp(Math.min(700, logE));
    const measured = { ...base, estimate, interval: differenceInterval(stable, candidate), eValue };
    const found = `errors ${percent(rate)} against ${percent(stableRate)} on stable`;
    if (errorRate.isHarmProven({ harm, proof }, options)) {
      return { ...measured, kind: "fail", reason: `${found}: more than chance allows`, needs: null };
    }
    const isExcluded = lnExcess(proof, margin) >= Math.log(1 / options.beta);
    if (isExcluded && estimate <= margin && candidate.total >= options.minSamples) {
      return {
        ...measured,
        kind: "pass",
        reason: `${found}: harm beyond +${percent(margin)} is excluded`,
        needs: null,
      };
    }
    const excluded = excludedMargin(proof, options.beta);
    const known = excluded === null ? "no harm is excluded yet" : `only harm beyond +${percent(excluded)} is excluded`;
    const share = Math.min(0.999, Math.max(0.0001, stage.candidateBp / 10_000));
    const more = requestsToMargin(proof, margin, options.beta, share);
    const missing = Math.max(more ?? 0, options.minSamples - candidate.total);
    const needs = more === null ? "a lower error rate" : `about ${missing} more candidate requests`;
    const reason = `${found}: ${known}, +${percent(margin)} is wanted`;
    return { ...measured, kind: "inconclusive", reason, needs };
  },
};
