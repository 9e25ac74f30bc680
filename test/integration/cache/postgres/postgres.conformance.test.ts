import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { driver, postgresCache } from "../../../../src/drivers/cache/postgres/index.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import { cacheConformance, type CacheWorld } from "../../../../src/testing/cache-suite.ts";
import { recorded } from "../../../conformance/recorded.ts";
import { never } from "../../../../src/testing/queue-world.ts";
import { freePort } from "../../../free-port.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../fence/servers.ts";
import { type SilentServer, startSilent } from "../../queue/silent.ts";

describe.skipIf(!hasPostgres())("cache/postgres on a real server", () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  let worlds = 0;
  beforeAll(async () => {
    server = await startPostgres();
    pool = server.connect();
    // All at once, as processes do.
    await Promise.all([1, 2, 3].map(() => postgresCache({ client: pool, clock: systemClock }).migrate()));
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });

  function world(): CacheWorld {
    const prefix = `w${++worlds}-`;
    const silent: SilentServer[] = [];
    return {
      async open(at) {
        if (at === "server") return postgresCache({ client: pool, clock: systemClock });
        if (at === "silent") silent.push(await startSilent());
        const port = at === "silent" ? silent.at(-1)?.port : await freePort();
        return driver.open({ url: `postgres://nobody@127.0.0.1:${port}/x`, secretFile: null }, systemClock);
      },
      namespace: (end) => prefix + end,
      async put(namespace, keys, { writtenBy, question }) {
        const text = `insert into sluice_answer_cache (key, written_by, question)
          select $1 || key, $2, $3 from unnest($4::text[]) as given (key)`;
        await pool.query(text, [namespace, writtenBy, question, keys]);
      },
      async close() {
        for (const one of silent) await one.close();
      },
    };
  }
  const of = { port: "cache", product: "postgres", against: "real", with: "PostgreSQL 15" } as const;
  const record = recorded(of, it);
  cacheConformance(world, record.it);
  record.keep(async () => (await world().open("server")).can);

  it("removes a namespace a few rows at a time, and finds its keys by the index", async () => {
    await pool.query("insert into sluice_answer_cache (key) select 'big:' || n from generate_series(1, 30000) n");
    await pool.query("insert into sluice_answer_cache (key) select 'other:' || n from generate_series(1, 30000) n");
    await pool.query("vacuum analyze sluice_answer_cache");
    const { rows } = await pool.query<{ "QUERY PLAN": string }>(
      "explain select key from sluice_answer_cache where starts_with(key, 'big:1') limit 500",
    );
    expect(rows.map((row) => row["QUERY PLAN"]).join("\n")).toContain("Index");
    const sizes: number[] = [];
    const counting = {
      async query(text: string, values?: unknown[]) {
        const answer = await pool.query(text, values);
        if (text.startsWith("delete")) sizes.push(answer.rows.length);
        return answer;
      },
    };
    expect(await postgresCache({ client: counting, clock: systemClock }).purge("big:", null, never)).toBe(30_000);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
  });

  it("lists first what was asked most", async () => {
    await pool.query(
      "insert into sluice_answer_cache (key, asked) values ('lfu:seldom', 2), ('lfu:often', 9), ('lfu:never', 0)",
    );
    expect(await postgresCache({ client: pool, clock: systemClock }).topKeys("lfu:", 2, never)).toEqual([
      "often",
      "seldom",
    ]);
  });

  it("says what is wrong with an address", async () => {
    const opened = driver.open({ url: "redis://x", secretFile: null }, systemClock);
    await expect(opened).rejects.toMatchObject({ code: "rejected" });
  });
});
