import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { randomStream } from "../../../core/stats/random.ts";
import { after, stored } from "../../../testing/store-world.ts";
import type { SqlDatabase } from "../sql/client.ts";
import { migrate } from "../sql/migrate.ts";
import { sqlStore } from "../sql/store.ts";
import { guarded } from "./client.ts";
import { storeError } from "./failure.ts";
import { blankDatabase } from "./open.ts";
import { withUpkeep } from "./upkeep.ts";

const COMMITS = 200;
/** No two commits alike, and nothing that packs well. */
const TEXT = (() => {
  const random = randomStream(7);
  return Array.from({ length: 300_000 }, () => String.fromCharCode(33 + Math.floor(random() * 90))).join("");
})();

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-upkeep-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function bytesOf(place: string): Promise<number> {
  const names = await readdir(place, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => stat(join(place, name))));
  return sizes.reduce((sum, one) => sum + (one.isFile() ? one.size : 0), 0);
}

/** Size of a database after many commits that each replace one large row. */
async function worn(kept: (database: SqlDatabase) => SqlDatabase) {
  const place = join(folder, "database");
  const database = guarded(await blankDatabase(place));
  await migrate(database);
  const store = sqlStore(kept(database), async (error) => storeError(error, null));
  let next = stored("one", 1);
  await store.commit({ rollout: { expectedVersion: null, next } });
  for (let index = 0; index < COMMITS; index++) {
    next = after(next);
    const evidence = { text: TEXT.slice(index) + TEXT.slice(0, index) } as never;
    const units = { rolloutId: "one", generation: 1, attempt: 0, evidence };
    expect(await store.commit({ rollout: { expectedVersion: next.version - 1, next }, units })).toBe(true);
  }
  expect(await store.rollouts()).toEqual([next]);
  const bytes = await bytesOf(place); // Before it ends: an end is a checkpoint.
  await store.close();
  return bytes;
}

describe("upkeep of the embedded database", () => {
  it("keeps its folder small however often a row is replaced, and loses nothing", async () => {
    expect(await worn((database) => withUpkeep(database, 16))).toBeLessThan(110_000_000);
  }, 120_000);
});
