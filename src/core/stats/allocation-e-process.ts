import { assert } from "../assert.ts";
import { lnSumExp } from "./special.ts";

/**
 * Evidence that events fall on the candidate more often than its share of the units explains, as plain JSON. Read
 * `logE` at any moment: under the null, P(logE ever reaches ln(1/alpha)) <= alpha.
 */
export interface AllocationEProcess {
  /** Logarithm of the e-value now. */
  readonly logE: number;
  /** Capital not yet bet: kept for harm that begins late. */
  readonly reserve: number;
  /** Capital on each odds ratio, as a logarithm. */
  readonly logBets: readonly number[];
  /** Events that were bet on, by the arm they fell on. */
  readonly stable: number;
  readonly candidate: number;
}

/** How many times likelier than by chance an event is on the candidate, for each bet. @source decision-policy.md */
const ODDS_RATIOS = [1.5, 2, 3, 5, 10, 30, 100, 1_000] as const;
/** Part of the capital that is paid out slowly, so that events before the harm began do not use it up. */
const RESERVE = 0.1;

export const NO_ALLOCATIONS: AllocationEProcess = {
  logE: 0,
  reserve: RESERVE,
  logBets: ODDS_RATIOS.map(() => Math.log((1 - RESERVE) / ODDS_RATIOS.length)),
  stable: 0,
  candidate: 0,
};

/**
 * The state after one more event. Null hypothesis: given everything known before it, the event falls on the candidate
 * with probability `share`. Each odds ratio r bets q = share·r / (share·r + 1 - share); the average of the bets and of
 * the reserve, paid out like 1/log of the events, is a test martingale. A share of 0 or 1 leaves nothing to bet on.
 * @param share probability of the candidate under the null, 0..1
 * @source decision-policy.md "Units, not requests"; late starts: J. Shin, A. Ramdas, A. Rinaldo, "E-detectors", arXiv
 * 2203.03532 (weighted starting times)
 */
export function foldAllocation(
  state: AllocationEProcess,
  arm: "stable" | "candidate",
  share: number,
): AllocationEProcess {
  assert(share >= 0 && share <= 1, `a share is 0..1: ${share}`);
  if (share === 0 || share === 1) return state;
  const events = state.stable + state.candidate + 1;
  const reserve = RESERVE / Math.log2(2 + events);
  const released = Math.log((state.reserve - reserve) / ODDS_RATIOS.length);
  const logBets = ODDS_RATIOS.map((ratio, index) => {
    const capital = lnSumExp([state.logBets[index] ?? Number.NEGATIVE_INFINITY, released]);
    const odds = share * ratio + 1 - share;
    return capital + (arm === "candidate" ? Math.log(ratio / odds) : -Math.log(odds));
  });
  return {
    logE: lnSumExp([...logBets, Math.log(reserve)]),
    reserve,
    logBets,
    stable: state.stable + (arm === "stable" ? 1 : 0),
    candidate: state.candidate + (arm === "candidate" ? 1 : 0),
  };
}

/** How many events in a row on the candidate prove harm at `alpha`, at one share strictly between 0 and 1. */
export function eventsToProof(share: number, alpha: number): number {
  assert(share > 0 && share < 1 && alpha > 0 && alpha < 1, `share and alpha are in (0, 1): ${share}, ${alpha}`);
  let state = NO_ALLOCATIONS;
  let events = 0;
  while (state.logE < -Math.log(alpha)) {
    state = foldAllocation(state, "candidate", share);
    events++;
  }
  return events;
}
