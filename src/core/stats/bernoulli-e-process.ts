import { assert } from "../assert.ts";
import { type ArmCount, addCounts, assertCounts, type CountBlock, NO_COUNTS } from "./count-block.ts";
import { lnSumExp } from "./special.ts";

export type { CountBlock } from "./count-block.ts";

/**
 * Evidence that one arm fails more often than the other, as plain JSON. `logE` may be read after any block: under the
 * null, P(logE ever reaches ln(1/alpha)) <= alpha, whatever the split, the look rate or the reason to stop.
 */
export interface BernoulliEProcess {
  /** The harm looked for: `higher` proves the candidate's rate above stable's, `lower` proves it below. */
  readonly direction: "higher" | "lower";
  /**
   * What the lower arm's rate is taken for before data: a rate worth `weight` requests. Costs power when wrong, never
   * validity.
   */
  readonly prior: RatePrior;
  /** Logarithm of the e-value now. */
  readonly logE: number;
  /** The highest `logE` so far; exp(-logEMax) is an anytime-valid p-value. */
  readonly logEMax: number;
  /** Blocks in which both arms had requests. Other blocks are exactly no evidence. */
  readonly blocks: number;
  /** Capital not yet bet, and the capital of each alternative as a logarithm; the sum of all is the e-value. */
  readonly reserve: number;
  readonly logBets: readonly number[];
  /** All counts folded so far, for the point estimate. */
  readonly stable: ArmCount;
  readonly candidate: ArmCount;
}

export interface RatePrior {
  readonly rate: number;
  readonly weight: number;
}

/**
 * The alternatives bet on: the worse arm's rate learnt from earlier blocks, or the better arm's rate plus a fixed part
 * of the remaining way to 1. Found by search for the least time to proof of errors of 2 %, 5 %, 50 % and 100 % against
 * 0.5 %, at 10 and 100 requests a second; a bad choice costs power, never validity.
 */
const BETS = [
  { excess: null, share: 0.35 },
  { excess: 0.02, share: 0.05 },
  { excess: 0.05, share: 0.33 },
  { excess: 0.5, share: 0.27 },
] as const;

/** Learnt rates start at this many failures among twice as many requests. */
const LEARNT_START = 0.2;
/** A learnt alternative bets on at least this ratio between the rates. */
const LEAST_RATIO = 1.05;
/** Part of the capital kept for harm that begins late; it is paid out slowly, see `reserveAfter`. */
const RESERVE = 0.1;
const RATE_MIN = 1e-6;
const RATE_MAX = 0.95;

/** An e-process without evidence. The default prior suits error rates; give the expected rate for anything commoner. */
export function startBernoulliEProcess(
  options: { readonly direction?: "higher" | "lower"; readonly prior?: RatePrior } = {},
): BernoulliEProcess {
  const { direction = "higher", prior = { rate: 0.005, weight: 200 } } = options;
  assert(
    prior.rate > 0 && prior.rate < 1 && prior.weight > 0,
    `a prior is a rate in 0..1 and a weight > 0: ${prior.rate}`,
  );
  const logBets = BETS.map(({ share }) => Math.log((1 - RESERVE) * share));
  return { direction, prior, logE: 0, logEMax: 0, blocks: 0, reserve: RESERVE, logBets, ...NO_COUNTS };
}

/**
 * The state after one more block. Null hypothesis for `higher`: in every block, given the past and the two totals,
 * requests of both arms fail independently, the candidate's at a rate not above stable's; the common level may change
 * from block to block at will. For `lower` the arms are exchanged.
 *
 * Each alternative (worse, better) multiplies its capital by the block's likelihood ratio against the pooled rate;
 * its rates depend on earlier blocks only, so each is a test martingale, and so is their sum with the reserve.
 * @source R. Turner, A. Ly, P. Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for
 * optional stopping", arXiv 2106.02693 (the two-sample Bernoulli block, learnt and mixed alternatives); for the
 * one-sided null the expectation of the block is largest on the boundary, since worse >= pooled >= better. Late starts:
 * J. Shin, A. Ramdas, A. Rinaldo, "E-detectors", arXiv 2203.03532 (weighted starting times).
 */
export function foldBernoulli(state: BernoulliEProcess, block: CountBlock): BernoulliEProcess {
  assertCounts(block);
  const totals = addCounts(state, block);
  if (block.stable.total === 0 || block.candidate.total === 0) return { ...state, ...totals };

  const [worse, better] = ordered(state.direction, block);
  const [worseBefore, betterBefore] = ordered(state.direction, state);
  const betterRate = clampRate(smoothed(betterBefore, state.prior.rate * state.prior.weight, state.prior.weight));
  const learnt = smoothed(worseBefore, LEARNT_START, 2 * LEARNT_START);
  const reserve = reserveAfter(state.blocks + 1);
  const released = Math.log(state.reserve - reserve);
  const logBets = BETS.map(({ excess, share }, index) => {
    const capital = lnSumExp([state.logBets[index] ?? Number.NEGATIVE_INFINITY, released + Math.log(share)]);
    const worseRate =
      excess === null
        ? Math.min(0.999, Math.max(learnt, LEAST_RATIO * betterRate))
        : betterRate + excess * (1 - betterRate);
    return capital + logRatio(worse, better, worseRate, betterRate);
  });
  const logE = lnSumExp([...logBets, Math.log(reserve)]);
  return {
    ...state,
    ...totals,
    logE,
    logEMax: Math.max(state.logEMax, logE),
    blocks: state.blocks + 1,
    reserve,
    logBets,
  };
}

/** ln of the block's likelihood under the two rates over its likelihood under their pooled rate. */
function logRatio(worse: ArmCount, better: ArmCount, worseRate: number, betterRate: number): number {
  const pooled = (worse.total * worseRate + better.total * betterRate) / (worse.total + better.total);
  const arm = (count: ArmCount, rate: number): number =>
    count.failures * Math.log(rate / pooled) + (count.total - count.failures) * Math.log((1 - rate) / (1 - pooled));
  return arm(worse, worseRate) + arm(better, betterRate);
}

/** Capital still unbet after `blocks` blocks: falls like 1/log, so that harm after an hour still finds a fresh bet. */
function reserveAfter(blocks: number): number {
  return RESERVE / Math.log2(2 + blocks);
}

function ordered(direction: "higher" | "lower", arms: CountBlock): readonly [worse: ArmCount, better: ArmCount] {
  return direction === "higher" ? [arms.candidate, arms.stable] : [arms.stable, arms.candidate];
}

function smoothed(count: ArmCount, failures: number, total: number): number {
  return (count.failures + failures) / (count.total + total);
}

function clampRate(rate: number): number {
  return Math.min(RATE_MAX, Math.max(RATE_MIN, rate));
}
