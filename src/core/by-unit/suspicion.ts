import { unitLabel } from "../assign/unit-name.ts";
import type { ClusterDifference } from "./cluster-difference.ts";
import type { UnitView } from "./unit-evidence.ts";
import { type BernoulliEProcess, foldBernoulli, startBernoulliEProcess } from "../stats/bernoulli-e-process.ts";
import { addCounts, type CountBlock, NO_COUNTS } from "../stats/count-block.ts";
import type { EpochMs } from "../unit.ts";

/**
 * What requests show of harm and users need not confirm: whether it goes on, since when, and what both arms met since.
 * As plain JSON.
 */
export interface Suspicion {
  /** Counts not yet folded, and when they are; null before the first block. */
  readonly pending: CountBlock;
  readonly dueMs: number | null;
  /** Evidence of the last half hour: processes begun ten minutes apart, the eldest first. */
  readonly recent: readonly { readonly sinceMs: number; readonly harm: BernoulliEProcess }[];
  /** When requests first proved more than chance without a pause since; null while they do not. */
  readonly sinceMs: number | null;
  /** What both arms met since then. */
  readonly met: CountBlock;
}

export const NO_SUSPICION: Suspicion = {
  pending: NO_COUNTS,
  dueMs: null,
  recent: [],
  sinceMs: null,
  met: NO_COUNTS,
};

/** Blocks are put together: three more processes at every block would cost more than all other gates. */
const FOLDED_EVERY_MS = 10_000;
const BEGUN_EVERY_MS = 600_000;
const RECENT_MS = 1_800_000;
/** The share goes on by itself when what the last half hour shows is under this. @source decision-policy.md */
const GOES_ON_BELOW = Math.log(20);
/** Standard errors by which users' rates differ at least; a healthy rollout goes on as users come. */
const FEW_USERS_Z = 2;
/** Users named. */
const USERS_NAMED = 3;

/** @param isProven whether requests of the whole rollout prove more than chance */
export function foldSuspicion(seen: Suspicion, counts: CountBlock, endMs: EpochMs, isProven: boolean): Suspicion {
  const pending = addCounts(seen.pending, counts);
  const dueMs = seen.dueMs ?? endMs + FOLDED_EVERY_MS;
  const isNews = isProven && seen.sinceMs === null;
  if (endMs < dueMs && !isNews) return { ...seen, pending, dueMs };
  const [newest] = seen.recent.slice(-1);
  const isTurn = newest === undefined || endMs - newest.sinceMs >= BEGUN_EVERY_MS;
  const begun = isTurn ? [...seen.recent, { sinceMs: endMs, harm: startBernoulliEProcess() }] : seen.recent;
  const recent = begun
    .filter(({ sinceMs }, index) => index === begun.length - 1 || endMs - sinceMs < RECENT_MS)
    .map(({ sinceMs, harm }) => ({ sinceMs, harm: foldBernoulli(harm, pending) }));
  const isOn = isProven && (recent[0]?.harm.logE ?? 0) >= GOES_ON_BELOW;
  return {
    pending: NO_COUNTS,
    dueMs: endMs + FOLDED_EVERY_MS,
    recent,
    sinceMs: isOn ? (seen.sinceMs ?? endMs) : null,
    met: isOn ? addCounts(seen.met, pending) : NO_COUNTS,
  };
}

/** Whether the share is held for it: it goes on, and users do not say that it is nothing. */
export function isSuspected({ sinceMs }: Suspicion, difference: ClusterDifference | null): boolean {
  if (sinceMs === null) return false;
  return difference === null || difference.estimate > FEW_USERS_Z * difference.standardError;
}

/** Hours, minutes and seconds of the day, UTC; core has no calendar. */
function timeOfDay(atMs: number): string {
  const seconds = Math.floor(atMs / 1_000) % 86_400;
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** The hold in words: since when, which users, what stable did, and what to do. */
export function describeSuspicion({ sinceMs, met: { stable, candidate } }: Suspicion, units: UnitView) {
  const since = timeOfDay(sinceMs ?? 0);
  const users = units
    .failing(USERS_NAMED)
    .map(({ name, failures, requests }) => `${unitLabel(name)} (${failures} of ${requests})`);
  const named = users.length === 0 ? "" : `, most of them of ${users.join(", ")}`;
  return {
    reason:
      `since ${since} UTC requests to the candidate fail more than chance allows, and few users send them: ` +
      `${candidate.failures} of ${candidate.total} failed${named}; in the same time ${stable.failures} of ` +
      `${stable.total} failed on stable. A few users may as well be the reason as the release: the share is held`,
    needs:
      "failures of more users, which stop it, or half an hour without more failures than chance, after which it goes on " +
      "by itself; look at what these users met (`sluice unit ID` tells whether one is a user you know)",
  };
}
