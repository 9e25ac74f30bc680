import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { driver } from "../../../src/drivers/index/pgvector/index.ts";
import { redactSecrets } from "../../../src/drivers/secrets.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import { recorded } from "../../conformance/recorded.ts";
import { indexConformance } from "../../../src/testing/index-suite.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../fence/servers.ts";
import { buildTable, type Database, pgvectorWorld } from "./pgvector-world.ts";

const WANTED = { count: 2, metric: "cosine", analyzer: "words", indexHash: "3".repeat(64) } as const;
const clock = systemClock();
const signal = new AbortController().signal;

describe.skipIf(!hasPostgres())("index/pgvector on a real PostgreSQL", () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  let database: Database;
  let folder: string;
  let worlds = 0;
  beforeAll(async () => {
    server = await startPostgres();
    pool = server.connect();
    const { rows } = await pool.query("select 1 from pg_available_extensions where name = 'vector'");
    const hasVector = rows.length > 0;
    if (hasVector) await pool.query("create extension vector");
    else console.warn("this server lacks the extension vector: its vectors are arrays, and metrics only stamped");
    const away = { url: "postgres://nobody@127.0.0.1:1/none", secretFile: null, clock };
    database = { client: pool, hasVector, openAway: () => driver.open(away) };
    folder = mkdtempSync(join(tmpdir(), "index-pg-"));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await pool.end();
    await server.stop();
  });

  const of = { port: "index", product: "pgvector", against: "real", with: "PostgreSQL 15" } as const;
  const record = recorded(of, it);
  indexConformance(() => pgvectorWorld(database, `w${++worlds}`), record.it);
  record.keep(async () => ({ ...pgvectorWorld(database, `w${++worlds}`).open().can }));

  it("is opened by an address, or by a file that holds one, and tells no secret of it", async () => {
    await buildTable(database, "opened", WANTED);
    const secretFile = join(folder, "address");
    writeFileSync(secretFile, `${server.url}\n`);
    for (const place of [
      { url: server.url, secretFile: null, clock },
      { url: "postgres://elsewhere/", secretFile, clock },
    ]) {
      const aliases = driver.open(place);
      expect(await aliases.describe("opened", signal)).toMatchObject({ count: 2 });
      await aliases.close();
    }
    expect(redactSecrets(`at ${server.url}`)).toBe("at ***");
    const lost = driver.open({ url: server.url, secretFile: join(folder, "none"), clock });
    await expect(lost.describe("opened", signal)).rejects.toMatchObject({ code: "unauthorized", retry: "never" });
    writeFileSync(join(folder, "none"), server.url);
    expect(await lost.describe("opened", signal)).toMatchObject({ count: 2 });
    await lost.close();
  });

  it("gives up when its signal aborts, though the server holds the answer back", async () => {
    const holder = await pool.connect();
    const aliases = driver.open({ url: server.url, secretFile: null, clock });
    try {
      await buildTable(database, "held", WANTED);
      await aliases.flip({ alias: "held", from: null, to: "held", epoch: 1 }, signal);
      await holder.query("begin");
      await holder.query("lock table sluice_index_alias in access exclusive mode");
      const begunMs = clock.monoMs();
      await expect(aliases.readAlias("held", clock.timeout(200))).rejects.toMatchObject({ name: "TimeoutError" });
      expect(clock.monoMs() - begunMs).toBeLessThan(5_000);
    } finally {
      await holder.query("rollback");
      holder.release();
      await aliases.close();
    }
  });

  it("goes on with what is stored after the server was cut off in the middle", async () => {
    const aliases = driver.open({ url: server.url, secretFile: null, clock });
    for (const name of ["cut_a", "cut_b"]) await buildTable(database, name, WANTED);
    await aliases.flip({ alias: "cut", from: null, to: "cut_a", epoch: 1 }, signal);
    const flip = { alias: "cut", from: "cut_a", to: "cut_b", epoch: 2 };
    await server.halt();
    await expect(aliases.flip(flip, signal)).rejects.toMatchObject({ code: "unreachable", retry: "safe" });
    await server.resume();
    expect(await aliases.flip(flip, signal)).toEqual({ kind: "moved" });
    expect(await aliases.readAlias("cut", signal)).toEqual({ index: "cut_b", epoch: 2, previous: "cut_a" });
    await aliases.close();
  });
});
