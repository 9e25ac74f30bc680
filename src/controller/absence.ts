import type { JournalEntry } from "../core/rollout/journal-entry.ts";
import type { RolloutEvent } from "../core/rollout/event.ts";
import { isFinal } from "../core/rollout/rollout.ts";
import { type EpochMs, epochMs } from "../core/unit.ts";
import type { StoredRollout } from "../ports/controller-store.ts";

/**
 * What a controller that takes a running rollout up again writes into its journal; null for one that is new or over.
 * Nothing says when the process before it ended, so the absence is counted from the last decision or the last answer
 * of the candidate that is stored: it was away no longer than that.
 * @param announcedMs the longer lease that a planned stop announced; 0 for none
 */
export function absenceOf(
  { rollout, observations }: StoredRollout,
  journal: readonly Pick<JournalEntry, "event">[],
  at: EpochMs,
  announcedMs: number,
): Extract<RolloutEvent, { kind: "controller-restarted" }> | null {
  if (rollout.phase === "pending" || isFinal(rollout)) return null;
  const known = [journal.at(-1)?.event.at ?? at, observations.totals.lastCandidateAt ?? 0];
  const lastKnownAt = epochMs(Math.min(at, Math.max(...known))); // A gateway's clock may be ahead of ours.
  const { leaseMs = null } = rollout.plan;
  const livedUntil = epochMs(Math.max(journal.at(-1)?.event.at ?? 0, observations.livedAt ?? 0));
  const lease = leaseMs && Math.max(leaseMs, announcedMs);
  return { kind: "controller-restarted", at, lastKnownAt, leaseMs: lease, livedUntil };
}
