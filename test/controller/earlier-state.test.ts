import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guarded } from "../../src/drivers/store/pglite/client.ts";
import { openPgliteStore, startDatabase } from "../../src/drivers/store/pglite/open.ts";
import { migrate } from "../../src/drivers/store/sql/migrate.ts";
import { aProbeReport } from "../probe-report.ts";
import { storedBefore } from "../stored-rollout.ts";
import { World } from "./world.ts";

const { plan, rows, journal } = storedBefore();
const ID = plan.rolloutId;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-earlier-"));
  const database = guarded(await startDatabase(join(folder, "empty")));
  await migrate(database);
  await database.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A database as the version before left it: the rows themselves, not what today's code would write. */
async function databaseAt(row: (typeof rows)[number], over: object = {}): Promise<string> {
  const place = join(folder, `from-${row.version}-${JSON.stringify(over).length}`);
  await cp(join(folder, "empty"), place, { recursive: true });
  const database = guarded(await startDatabase(place));
  const insert = `insert into rollouts (id, service, version, created_at, rollout, observations, plan)
    values ($1, $2, $3, $4, $5, $6, $7)`;
  const json = [{ ...row.rollout, ...over }, row.observations, plan].map((part) => JSON.stringify(part));
  await database.query(insert, [ID, plan.service, row.version, row.created_at, ...json]);
  for (const [index, entry] of journal.slice(0, row.journal).entries()) {
    const line = "insert into journal (rollout_id, entry_index, entry) values ($1, $2, $3)";
    await database.query(line, [ID, index, JSON.stringify(entry)]);
  }
  await database.close();
  return place;
}

describe("a controller on a database that the version before left", () => {
  it.each([
    ["compares identity", 0],
    ["asks the gold set", 1],
    ["waits for a person", 2],
    ["gives the first share", 3],
  ])("goes on where a rollout %s, to its end, under ids that go on", { timeout: 60_000 }, async (_, place) => {
    const row = rows[place];
    if (row === undefined) throw new Error("the recording has seven rows");
    const store = await openPgliteStore(await databaseAt(row));
    const world = new World(store);
    await world.clock.advance(2_000);
    await world.open((options) => ({
      ...options,
      probes: { smoke: () => Promise.resolve(null), run: () => Promise.resolve(aProbeReport()) },
    }));
    for (let quarter = 0; quarter < 60 && world.phase !== "promoted"; quarter++) {
      await world.quarter();
      if (world.phase !== "waiting") continue;
      await world.controller.command(ID, { command: "resume", full: false, by: "ann", reason: "" });
    }
    expect(world.phase).toBe("promoted");
    const entries = await world.controller.journal(ID);
    expect(entries.map(({ index }) => index)).toEqual(entries.map((__, index) => index));
    const orders = entries.flatMap((entry) => entry.orders.map(({ id }) => id));
    expect(orders).toEqual(orders.map((__, index) => `${ID}/1/${index}`));
    expect(entries.every(({ schema }) => schema === 2)).toBe(true);
    await world.controller.stop();
    await store.close();
  });

  it("refuses what a newer version wrote, in words, and changes nothing", { timeout: 60_000 }, async () => {
    const [row] = rows;
    if (row === undefined) throw new Error("the recording has seven rows");
    const store = await openPgliteStore(await databaseAt(row, { schema: 3 }));
    await expect(new World(store).open()).rejects.toMatchObject({
      code: "rejected",
      message: expect.stringContaining("is of schema 3, written by a newer version"),
    });
    await store.close();
  });
});
