import { assert } from "../assert.ts";
import { binomialAtLeast, divergence } from "./binomial.ts";
import { mcnemar } from "./mcnemar.ts";
import { lnGamma, normalQuantile } from "./special.ts";

/** Sum of the normal quantiles of one-sided alpha 0.05 and power 0.8: 2.486. @source statistics.md, probe sets */
const REACH = normalQuantile(0.95) + normalQuantile(0.8);

/**
 * The mean paired drop a set of this size sees with power 0.8 at one-sided alpha 0.05: "this gate could have seen X".
 * @param deviation standard deviation of one question's paired difference
 */
export function minimumDetectableDrop(deviation: number, questions: number): number {
  assert(deviation >= 0 && questions >= 1, `a drop needs a deviation >= 0 and questions: ${deviation}, ${questions}`);
  return (REACH * deviation) / Math.sqrt(questions);
}

/** Questions needed to see a mean paired drop with power 0.8 at one-sided alpha 0.05. */
export function questionsToDetect(drop: number, deviation: number): number {
  assert(drop > 0 && deviation >= 0, `a drop is > 0 and a deviation >= 0: ${drop}, ${deviation}`);
  return Math.ceil(((REACH * deviation) / drop) ** 2);
}

/**
 * Power of the exact one-sided or two-sided McNemar test, exactly, over all splits of the discordant questions.
 * @param rates share of questions that the candidate loses and gains
 */
export function mcnemarPower(
  rates: { readonly lost: number; readonly gained: number },
  questions: number,
  alpha: number,
  alternative: "worse" | "two-sided",
): number {
  const discordant = rates.lost + rates.gained;
  assert(discordant > 0 && discordant <= 1, `discordant questions are a share in (0, 1]: ${discordant}`);
  let power = 0;
  for (let pairs = 1; pairs <= questions; pairs++) {
    const chance = binomialPoint(pairs, questions, discordant);
    const least = leastRejectedLoss(pairs, alpha, alternative);
    if (least !== null) power += chance * binomialAtLeast(least, pairs, rates.lost / discordant);
  }
  return power;
}

/**
 * About how many seconds until the two-sample Bernoulli e-process proves that the arm with `candidateRate` differs from
 * the one with `stableRate`: (ln(1/alpha) + the cost of learning the rates) over the growth a second.
 * Within 15 % of the simulated medians above 10 s. Null when the rates are equal.
 * @source growth: R. Turner, A. Ly, P. Grünwald, arXiv 2106.02693, for the block sizes expected of Poisson arrivals
 */
export function secondsToProof(traffic: {
  readonly requestsPerSecond: number;
  /** Realised share of the candidate, strictly between 0 and 1. */
  readonly candidateShare: number;
  readonly candidateRate: number;
  readonly stableRate: number;
  readonly alpha: number;
}): number | null {
  const { requestsPerSecond, candidateShare, candidateRate, stableRate, alpha } = traffic;
  assert(requestsPerSecond > 0, `a request rate is > 0: ${requestsPerSecond}`);
  assert(candidateShare > 0 && candidateShare < 1, `a share is strictly between 0 and 1: ${candidateShare}`);
  if (candidateRate === stableRate) return null;
  const candidateMean = requestsPerSecond * candidateShare;
  const stableMean = requestsPerSecond * (1 - candidateShare);
  const informative = -Math.expm1(-candidateMean) * -Math.expm1(-stableMean);
  // Mean block sizes among the blocks that have requests of both arms.
  const candidate = candidateMean / -Math.expm1(-candidateMean);
  const stable = stableMean / -Math.expm1(-stableMean);
  const pooled = (candidate * candidateRate + stable * stableRate) / (candidate + stable);
  const growth = candidate * divergence(candidateRate, pooled) + stable * divergence(stableRate, pooled);
  return (LEARNING_COST - Math.log(alpha)) / (growth * informative);
}

/** What learning the alternative costs in nats, fitted to the simulated medians of `bernoulli-e-process.test.ts`. */
const LEARNING_COST = 2;

/** Clean requests that bound a rate at 95 %: the rule of three, 0 failures of N means at most 3/N. */
export function cleanRequestsToBound(rate: number): number {
  assert(rate > 0 && rate < 1, `a rate is strictly between 0 and 1: ${rate}`);
  return Math.ceil(3 / rate - 1e-9);
}

/** Fewest values for which a distribution-free one-sided upper limit of a quantile exists: their maximum. */
export function samplesForUpperLimit(quantile: number, confidence: number): number {
  assert(
    quantile > 0 && quantile < 1 && confidence > 0 && confidence < 1,
    `shares in 0..1: ${quantile}, ${confidence}`,
  );
  return Math.ceil(Math.log(1 - confidence) / Math.log(quantile));
}

function leastRejectedLoss(pairs: number, alpha: number, alternative: "worse" | "two-sided"): number | null {
  for (let lost = Math.ceil(pairs / 2); lost <= pairs; lost++)
    if (mcnemar({ lost, gained: pairs - lost }, alternative) <= alpha) return lost;
  return null;
}

function binomialPoint(count: number, total: number, rate: number): number {
  if (rate === 1) return count === total ? 1 : 0;
  const ways = lnGamma(total + 1) - lnGamma(count + 1) - lnGamma(total - count + 1);
  return Math.exp(ways + count * Math.log(rate) + (total - count) * Math.log1p(-rate));
}
