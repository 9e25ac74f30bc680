import { assert } from "../assert.ts";

/** Pairs of one thing tried on both sides: who alone failed, and all pairs together. */
export interface PairedFailures {
  readonly candidateOnly: number;
  readonly stableOnly: number;
  readonly pairs: number;
}

/** Stakes of the bets that are averaged; the largest settles a clean record, the small ones a noisy one. */
const STAKES = [0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.95] as const;

/**
 * ln of the e-value against "the candidate fails in at least `margin` more of the pairs than stable": each pair is a
 * bet that its difference, 1 where the candidate alone failed and −1 where stable alone did, is below the margin.
 * Anytime-valid, whatever the order of the pairs and whatever share of them fails on both.
 * @param margin 0..1, below 1
 * @source I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024), with
 *   fixed stakes, so that counts say it all
 */
export function lnBelowMargin({ candidateOnly, stableOnly, pairs }: PairedFailures, margin: number): number {
  assert(margin >= 0 && margin < 1, `a margin is 0 to below 1: ${margin}`);
  const even = pairs - candidateOnly - stableOnly;
  assert(even >= 0, `${candidateOnly} and ${stableOnly} are of ${pairs} pairs`);
  const logs = STAKES.map(
    (stake) =>
      candidateOnly * Math.log1p(stake * (margin - 1)) +
      stableOnly * Math.log1p(stake * (margin + 1)) +
      even * Math.log1p(stake * margin),
  );
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0) / logs.length);
}

/** The smallest excess that the pairs exclude with probability of error `beta`, to 0.0001; null while there is none. */
export function pairedMargin(failures: PairedFailures, beta: number): number | null {
  const isExcluded = (step: number) => lnBelowMargin(failures, step / 10_000) >= Math.log(1 / beta);
  let [below, found] = [-1, 10_000];
  while (found - below > 1) {
    const middle = Math.floor((below + found) / 2);
    if (isExcluded(middle)) found = middle;
    else below = middle;
  }
  return found === 10_000 ? null : found / 10_000;
}

/** How many more pairs like those so far exclude a margin; null where ever so many would not. */
export function pairsToMargin(failures: PairedFailures, margin: number, beta: number): number | null {
  const after = (more: number): boolean => {
    const grown = failures.pairs === 0 ? 0 : more / failures.pairs;
    const [candidateOnly, stableOnly] = [failures.candidateOnly * (1 + grown), failures.stableOnly * (1 + grown)];
    return lnBelowMargin({ candidateOnly, stableOnly, pairs: failures.pairs + more }, margin) >= Math.log(1 / beta);
  };
  let most = 1;
  while (!after(most)) {
    most *= 2;
    if (most > 1_000_000) return null;
  }
  let below = Math.floor(most / 2);
  while (most - below > 1) {
    const middle = Math.floor((below + most) / 2);
    if (after(middle)) most = middle;
    else below = middle;
  }
  return most;
}
