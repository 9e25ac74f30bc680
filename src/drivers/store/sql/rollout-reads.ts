import {
  type ControllerStore,
  type EndedRollout,
  endedOf,
  type StoredRollout,
} from "../../../ports/controller-store.ts";
import type { Read } from "./reads.ts";
import { type RolloutRow, rolloutOf, SELECT_ROLLOUT, SELECT_ROLLOUTS, SELECT_UNENDED } from "./rollout-rows.ts";

/** What a store tells of its rollouts. */
export function rolloutReadsOf(read: Read): Pick<ControllerStore, "rollouts" | "rollout" | "unended" | "ended"> {
  let areTold = false;
  /** Writes beside those that an older version ended that they are over: once, then nobody need read them for it. */
  const tell = async (rollouts: readonly StoredRollout[]): Promise<void> => {
    const update = "update rollouts set ended = $3 where id = $1 and version = $2";
    for (const ended of rollouts.flatMap((stored) => endedOf(stored) ?? []))
      await read(update, [ended.rolloutId, ended.version, JSON.stringify(ended)]);
    areTold = true;
  };
  return {
    async rollouts() {
      return (await read<RolloutRow>(SELECT_ROLLOUTS)).map(rolloutOf);
    },
    async unended() {
      const rollouts = (await read<RolloutRow>(SELECT_UNENDED)).map(rolloutOf);
      await tell(rollouts);
      return rollouts.filter((stored) => endedOf(stored) === null);
    },
    async rollout(rolloutId) {
      const [row] = await read<RolloutRow>(SELECT_ROLLOUT, [rolloutId]);
      return row === undefined ? null : rolloutOf(row);
    },
    async ended(service) {
      if (!areTold) await tell((await read<RolloutRow>(SELECT_UNENDED)).map(rolloutOf));
      const text = "select ended from rollouts where ended is not null and ($1::text is null or service = $1)";
      const rows = await read<{ ended: EndedRollout }>(text, [service ?? null]);
      return rows.map(({ ended }) => ended).sort((a, b) => a.endedAt - b.endedAt);
    },
  };
}
