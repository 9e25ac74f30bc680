import type { AddressInfo } from "node:net";
import type { Server } from "node:net";
import type { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wireServer } from "./wire.ts";
import { blankDatabase } from "../../../test/blank-database.ts";

describe("a PGlite behind PostgreSQL's protocol", () => {
  let database: PGlite;
  let server: Server;
  let pool: pg.Pool;
  const address = () => `postgres://postgres@127.0.0.1:${(server.address() as AddressInfo).port}/postgres`;
  const count = async () => (await pool.query<{ n: number }>("select count(*)::int as n from t")).rows[0]?.n;

  beforeAll(async () => {
    database = await blankDatabase();
    server = wireServer(database);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    pool = new pg.Pool({ connectionString: address(), max: 4, statement_timeout: 10_000, application_name: "sluice" });
    await pool.query("create table t (id int primary key, body text)");
  });
  afterAll(async () => {
    await pool.end();
    server.close();
    await database.close();
  });

  it("answers several clients at once, each its own", async () => {
    const ids = Array.from({ length: 40 }, (_, id) => id);
    const found = await Promise.all(
      ids.map((id) => pool.query<{ id: number }>("insert into t values ($1, $2) returning id", [id, "ä".repeat(id)])),
    );
    expect(found.map(({ rows }) => rows[0]?.id)).toEqual(ids);
    expect(await count()).toBe(40);
  });

  it("says what is wrong with a statement, and goes on with the next", async () => {
    await expect(pool.query("select nothing_of_that_name")).rejects.toMatchObject({ code: "42703" });
    expect(await count()).toBe(40);
  });

  it("leaves a transaction alone until it has ended", async () => {
    const [one, other] = [await pool.connect(), await pool.connect()];
    await one.query("begin");
    await one.query("insert into t values (100, 'x')");
    let isAnswered = false;
    const later = other.query<{ n: number }>("select count(*)::int as n from t").then(({ rows }) => {
      isAnswered = true;
      return rows[0]?.n;
    });
    await expect(one.query("select nothing_of_that_name")).rejects.toMatchObject({ code: "42703" });
    expect(isAnswered).toBe(false);
    await one.query("rollback");
    expect(await later).toBe(40);
    one.release();
    other.release();
  });

  it("takes back what a client had begun that is gone, and answers the others", async () => {
    const gone = new pg.Client({ connectionString: address() });
    gone.on("error", () => {});
    await gone.connect();
    await gone.query("begin");
    await gone.query("insert into t values (200, 'x')");
    (gone as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    expect(await count()).toBe(40);
  });
});
