import { assert } from "../../../core/assert.ts";
import { NAMELESS, type OwnedStore, type StoreHolder, type StoreOwnership } from "../../../ports/ownership.ts";
import { type SqlClient, type SqlDatabase, Stale } from "./client.ts";
import type { Read } from "./reads.ts";

interface OwnershipRow {
  readonly store: string;
  readonly owner: number | string;
  readonly announced_ms: number | string;
  readonly epoch_floor: number | string;
}

/** A row of a database of any migration: it is looked at before the database is brought to the present. */
interface OwnerRow {
  readonly store: string;
  readonly owner: number | string;
  readonly holder?: string;
  readonly holder_name?: string;
  readonly beat?: number | string;
  readonly is_released?: boolean;
}

/**
 * Holds the owner's row until the transaction ends, so that a takeover waits for it. Others may hold it too, and the
 * owner may say meanwhile that it lives. @throws Stale when another one owns the store
 */
export async function holdOwner(client: SqlClient, owner: number): Promise<void> {
  const { rows } = await client.query("select owner from ownership where owner = $1 for key share", [owner]);
  if (rows.length === 0) throw new Stale();
}

/** Taking a store and keeping it. */
export function ownershipOf(
  database: SqlDatabase,
  read: Read,
  explained: <T>(work: () => Promise<T>) => Promise<T>,
): OwnedStore {
  return {
    own: (proposed, holder = NAMELESS) => explained(() => database.transaction((one) => take(one, proposed, holder))),
    async keep(owner, announcedMs) {
      const update = "update ownership set announced_ms = $2, beat = beat + 1 where owner = $1 returning owner";
      return (await read(update, [owner, announcedMs])).length === 1;
    },
    async release(owner) {
      await read("update ownership set is_released = true where owner = $1", [owner]);
    },
    async owner() {
      const [table] = await read<{ there: string | null }>("select to_regclass('ownership')::text as there");
      if (table?.there == null) return null;
      const [row] = await read<OwnerRow>("select * from ownership");
      if (row === undefined) return null;
      const { store, owner, holder: id = "", holder_name: name = "", beat = 0, is_released: isReleased = false } = row;
      return { store, owner: Number(owner), holder: { id, name }, beat: Number(beat), isReleased };
    },
  };
}

/** Waits for the changes under way: `for update` is what `holdOwner` does not bear. */
async function take(client: SqlClient, proposed: string, { id, name }: StoreHolder): Promise<StoreOwnership> {
  const first = "insert into ownership (one, store, owner, announced_ms) values (1, $1, 0, 0) on conflict do nothing";
  await client.query(first, [proposed]);
  await client.query("select owner from ownership for update");
  const update = `update ownership set owner = owner + 1, holder = $1, holder_name = $2, beat = beat + 1,
    is_released = false returning store, owner, announced_ms, epoch_floor`;
  const [row] = (await client.query<OwnershipRow>(update, [id, name])).rows;
  assert(row !== undefined, "a store has one owner's row");
  const { store, owner, announced_ms, epoch_floor } = row;
  return { store, owner: Number(owner), announcedMs: Number(announced_ms), epochFloor: Number(epoch_floor) };
}
