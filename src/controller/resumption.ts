import type { JournalEntry } from "../core/rollout/journal-entry.ts";
import { UnitEvidence } from "../core/by-unit/unit-evidence.ts";
import type { EpochMs } from "../core/unit.ts";
import type { ControllerStore, StoredRollout, StoredUnits } from "../ports/controller-store.ts";

/** What a rollout goes on with beside its own state. */
export interface Resumption {
  readonly journal: readonly JournalEntry[];
  readonly units: UnitEvidence;
}

/** Reads what is stored beside a rollout, to go on with it at a time. */
export async function readResumption(
  stored: StoredRollout,
  store: Pick<ControllerStore, "journal" | "units">,
  at: EpochMs,
): Promise<Resumption> {
  const { rolloutId } = stored.rollout.plan;
  const [journal, known] = [await store.journal(rolloutId), await store.units(rolloutId)];
  return { journal, units: unitsOf(stored, known, at) };
}

/**
 * What the units of a try showed, as far as it was stored; that of another generation or try is not its own. It is
 * stored every few seconds only, so whoever came after the last time, to a controller that was killed, may be missing.
 */
function unitsOf({ rollout, observations }: StoredRollout, known: StoredUnits | null, at: EpochMs): UnitEvidence {
  const isOwn = known?.generation === rollout.plan.generation && known.attempt === observations.generation;
  const evidence = isOwn ? known.evidence : undefined;
  const units = new UnitEvidence(evidence);
  const fromMs = evidence?.takenAt ?? rollout.startedAt;
  const toMs = rollout.endedAt ?? at;
  if (fromMs !== null && fromMs < toMs && evidence?.isLast !== true) units.miss({ fromMs, toMs });
  return units;
}
