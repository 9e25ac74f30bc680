import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { after, stored } from "../../../testing/store-world.ts";
import { migrate } from "../sql/migrate.ts";
import { MIGRATIONS } from "../sql/migrations.ts";
import { guarded } from "./client.ts";
import { openPgliteStore, startDatabase } from "./open.ts";

/** The migrations of the version that stored a rollout whole with every commit. */
const WHOLE_ROLLOUTS = MIGRATIONS.findIndex((step) => step.includes("add column plan"));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-migrations-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A database as the version before left it, with a rollout of each. */
async function fromBefore(rollouts: readonly ReturnType<typeof stored>[]): Promise<string> {
  const place = join(folder, "database");
  const database = guarded(await startDatabase(place));
  await migrate(database, WHOLE_ROLLOUTS);
  for (const { rollout, observations, version, createdAt } of rollouts) {
    const insert = `insert into rollouts (id, service, version, created_at, rollout, observations)
      values ($1, $2, $3, $4, $5, $6)`;
    const json = [JSON.stringify(rollout), JSON.stringify(observations)];
    const { rolloutId, service } = rollout.plan;
    await database.query(insert, [rolloutId, service, version, createdAt, ...json]);
  }
  await database.close();
  return place;
}

describe("a database of the version before", () => {
  it("gives its rollouts back byte for byte, takes their next commits and keeps them", async () => {
    const [one, other] = [after(stored("one", 6)), stored("other", 1)];
    const place = await fromBefore([one, other]);
    const store = await openPgliteStore(place);
    expect(JSON.stringify(await store.rollouts())).toBe(JSON.stringify([one, other]));
    const [next, last] = [after(one), after(after(one))];
    expect(await store.commit({ rollout: { expectedVersion: 6, next } })).toBe(false);
    expect(await store.commit({ rollout: { expectedVersion: 7, next } })).toBe(true);
    expect(await store.commit({ rollout: { expectedVersion: 8, next: last } })).toBe(true);
    await store.close();
    const again = await openPgliteStore(place);
    expect(JSON.stringify(await again.rollouts())).toBe(JSON.stringify([last, other]));
    await again.close();
  }, 60_000);

  it("is refused, untouched, when a newer version has changed it", async () => {
    const place = await fromBefore([stored("one", 1)]);
    const database = guarded(await startDatabase(place));
    await migrate(database);
    await database.query("insert into migrations (step) values ($1)", [MIGRATIONS.length]);
    await database.close();
    await expect(openPgliteStore(place)).rejects.toMatchObject({ code: "rejected", retry: "never" });
    await expect(openPgliteStore(place)).rejects.toThrow(/made by a newer version \(it has seen \d+ migrations/);
  }, 60_000);

  it("has no plan in its states any more", async () => {
    const place = await fromBefore([stored("one", 1)]);
    const database = guarded(await startDatabase(place));
    await migrate(database);
    const { rows } = await database.query<{ rollout: object; plan: object }>("select rollout, plan from rollouts");
    const { plan, ...state } = stored("one", 1).rollout;
    expect(rows).toEqual([{ rollout: state, plan }]);
    await database.close();
  }, 60_000);
});
