import { foldAllocation, NO_ALLOCATIONS } from "../stats/allocation-e-process.ts";
import { lnAverageEValue } from "../stats/multiple.ts";
import type { Bp } from "../unit.ts";

/** What so many users can show at one share. */
export interface SeenByUsers {
  readonly candidateBp: Bp;
  /** Users on the candidate. */
  readonly users: number;
  /** Failing ones that stop it, with none on stable; null where there are not so many. */
  readonly failing: number | null;
  /** The smallest part of all users, 0..1, of which at least one is on the candidate with 95 %. */
  readonly leastPart: number;
}

/** Probability at which not one of the harmed is on the candidate. */
const UNMET = 0.05;

/** Exact for a service with so many users, whatever their requests: what few users cannot show, no time shows. */
export function seenByUsers(users: number, candidateBp: Bp, alpha: number): SeenByUsers {
  const share = candidateBp / 10_000;
  const there = Math.round(users * share);
  const leastPart = there === 0 ? 1 : 1 - UNMET ** (1 / there);
  let [evidence, failing] = [NO_ALLOCATIONS, 0];
  while (failing <= there && lnAverageEValue([evidence.logE, 0]) < Math.log(1 / alpha)) {
    evidence = foldAllocation(evidence, "candidate", share);
    failing++;
    if (share >= 1) return { candidateBp, users: there, failing: null, leastPart };
  }
  return { candidateBp, users: there, failing: failing > there ? null : failing, leastPart };
}
