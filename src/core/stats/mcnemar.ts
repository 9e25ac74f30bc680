import { assert } from "../assert.ts";
import { lnBetaMixture } from "./beta-binomial.ts";
import { binomialAtLeast } from "./binomial.ts";

/** Questions on which the arms disagree: right on stable and wrong on the candidate (`lost`), or the other way. */
export interface Discordance {
  readonly lost: number;
  readonly gained: number;
}

/**
 * Exact McNemar p-value of paired pass/fail answers: the binomial test of the discordant pairs at 1/2.
 * @returns one-sided, the chance of at least so many lost pairs if losing and gaining were equally likely; two-sided,
 * twice the smaller tail, at most 1. 1 without discordant pairs
 * @source Q. McNemar, Psychometrika 12 (1947) 153-157, with the exact binomial distribution
 */
export function mcnemar({ lost, gained }: Discordance, alternative: "worse" | "two-sided"): number {
  assertCounts(lost, gained);
  const pairs = lost + gained;
  const atLeast = (count: number): number => binomialAtLeast(count, pairs, 0.5);
  if (alternative === "worse") return Math.min(1, atLeast(lost));
  return Math.min(1, 2 * Math.min(atLeast(lost), atLeast(gained)));
}

/**
 * ln of the e-value that the candidate loses more questions than it gains; may be looked at after every question.
 * @source M. Lindon, A. Malek, NeurIPS 2022: the count e-process with a null share of 1/2
 */
export function lnDiscordance({ lost, gained }: Discordance): number {
  assertCounts(lost, gained);
  return lnBetaMixture({ successes: lost, total: lost + gained }, 0.5, 1, 1, "above");
}

function assertCounts(lost: number, gained: number): void {
  assert(Number.isSafeInteger(lost) && Number.isSafeInteger(gained), `pairs are integers: ${lost}, ${gained}`);
  assert(lost >= 0 && gained >= 0, `pairs are >= 0: ${lost}, ${gained}`);
}
