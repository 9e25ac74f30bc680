import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { epochMs } from "../../../core/unit.ts";
import { MIGRATIONS } from "../sql/migrations.ts";
import { openPgliteStore } from "./open.ts";
import { copyPgliteStore, restorePgliteStore } from "./restore.ts";
import type { StoredRow } from "../sql/rows.ts";

/** More than one batch. */
const ANSWERS = 450;
const TOKEN = { name: "ci", scope: "view", createdAt: epochMs(1), expiresAt: null, revokedAt: null } as const;
const NO_JUMP = { owner: 0, epoch: 0, announcedMs: 0 };

let folder: string;
const lines: string[] = [];
let steps = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-restore-"));
  const store = await openPgliteStore(join(folder, "database"));
  await store.own("store-1");
  for (let index = 0; index < ANSWERS; index++) {
    const body = `{"odd":"\\u0000 ü ' \\" ${index}"}`;
    await store.commit({ answer: { key: `k${index}`, fingerprint: "f", status: 200, body } });
  }
  await store.commit({ token: { ...TOKEN, hash: "h1" } });
  await store.close();
  steps = await copyPgliteStore(join(folder, "database"), async (batch) => void lines.push(...batch));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function* rows(): AsyncGenerator<StoredRow> {
  for (const line of lines) yield JSON.parse(line) as StoredRow;
}

describe("rows of one database in another", () => {
  it("are the same, numbers go on after them, and ownership goes on above what was given", async () => {
    const place = join(folder, "restored");
    await restorePgliteStore(place, { steps, rows: rows() }, { owner: 7, epoch: 90, announcedMs: 3_000 });
    const store = await openPgliteStore(place);
    for (const index of [0, 199, 200, ANSWERS - 1]) {
      expect((await store.answer(`k${index}`))?.body).toBe(`{"odd":"\\u0000 ü ' \\" ${index}"}`);
    }
    await store.commit({ token: { ...TOKEN, hash: "h2" } });
    expect((await store.tokens()).map(({ hash }) => hash)).toEqual(["h1", "h2"]);
    expect(await store.own("never")).toEqual({
      store: "store-1",
      owner: 2 ** 32 + 8,
      announcedMs: 3_000,
      epochFloor: 2 ** 32 + 90,
    });
    await store.close();
  }, 30_000);

  it("of an older migration are brought to the present one", async () => {
    const before = MIGRATIONS.findIndex((step) => step.includes("epoch_floor"));
    const old = async function* (): AsyncGenerator<StoredRow> {
      for await (const { table, row } of rows()) {
        const { epoch_floor: _, ...kept } = row;
        yield { table, row: kept };
      }
    };
    const place = join(folder, "older");
    await restorePgliteStore(place, { steps: before, rows: old() }, NO_JUMP);
    const store = await openPgliteStore(place);
    expect(await store.own("never")).toMatchObject({ store: "store-1", epochFloor: 2 ** 32 });
    await store.close();
  }, 60_000);

  it("of a newer migration, of no store and of a table nobody knows are refused, and nothing is left behind", async () => {
    const place = join(folder, "refused");
    const refusal = (from: Parameters<typeof restorePgliteStore>[1]) =>
      restorePgliteStore(place, from, NO_JUMP).catch((error: unknown) => String(error));
    const none = async function* (): AsyncGenerator<StoredRow> {};
    const odd = async function* (): AsyncGenerator<StoredRow> {
      yield { table: "odd", row: {} };
    };
    expect(await refusal({ steps: MIGRATIONS.length + 1, rows: rows() })).toContain("made by a newer version");
    expect(await refusal({ steps, rows: none() })).toContain("holds no identity of a store");
    expect(await refusal({ steps, rows: odd() })).toContain("no table odd");
    expect(await readdir(folder)).not.toContain("refused");
  }, 60_000);
});
