import { assert } from "../../../core/assert.ts";
import type { ControllerStore } from "../../../ports/controller-store.ts";
import type { Read } from "./reads.ts";

interface OwnershipRow {
  readonly store: string;
  readonly owner: number | string;
  readonly announced_ms: number | string;
  readonly epoch_floor: number | string;
}

/** Taking a store and keeping it. */
export function ownershipOf(read: Read): Pick<ControllerStore, "own" | "keep"> {
  return {
    async own(proposed) {
      const upsert = `insert into ownership (one, store, owner, announced_ms) values (1, $1, 1, 0)
        on conflict (one) do update set owner = ownership.owner + 1
        returning store, owner, announced_ms, epoch_floor`;
      const [row] = await read<OwnershipRow>(upsert, [proposed]);
      assert(row !== undefined, "an upsert returns its row");
      const { store, owner, announced_ms, epoch_floor } = row;
      return { store, owner: Number(owner), announcedMs: Number(announced_ms), epochFloor: Number(epoch_floor) };
    },
    async keep(owner, announcedMs) {
      const update = "update ownership set announced_ms = $2 where owner = $1 returning owner";
      return (await read(update, [owner, announcedMs])).length === 1;
    },
  };
}
