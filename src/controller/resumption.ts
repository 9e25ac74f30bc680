import { UnitEvidence } from "../core/by-unit/unit-evidence.ts";
import type { ControllerStore, JournalEntry, StoredRollout } from "../ports/controller-store.ts";

/** What a rollout goes on with beside its own state. */
export interface Resumption {
  readonly journal: readonly JournalEntry[];
  readonly units: UnitEvidence;
}

/** Reads what is stored beside a rollout. What units showed in another generation or try is not its own. */
export async function readResumption(
  { rollout, observations }: StoredRollout,
  store: Pick<ControllerStore, "journal" | "units">,
): Promise<Resumption> {
  const { rolloutId, generation } = rollout.plan;
  const [journal, known] = [await store.journal(rolloutId), await store.units(rolloutId)];
  const isOwn = known?.generation === generation && known.attempt === observations.generation;
  return { journal, units: new UnitEvidence(isOwn ? known.evidence : undefined) };
}
