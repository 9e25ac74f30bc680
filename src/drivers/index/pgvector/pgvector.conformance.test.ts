import type { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildTable, type Database, pgvectorWorld } from "../../../../test/integration/index/pgvector-world.ts";
import { manualClock } from "../../../testing/manual-clock.ts";
import { indexConformance } from "../../../testing/index-suite.ts";
import { driver, pgvectorAliases } from "./index.ts";
import { blankDatabase } from "../../../../test/blank-database.ts";

const signal = new AbortController().signal;
const WANTED = { count: 4, metric: "cosine", analyzer: "words", indexHash: "3".repeat(64) } as const;

describe.each([true, false])(
  "index/pgvector on PGlite (extension vector: %s; a real server in test/integration)",
  (hasVector) => {
    let database: Database & { readonly client: PGlite };
    let worlds = 0;
    beforeAll(async () => {
      const client = await blankDatabase(hasVector ? { extensions: { vector } } : {});
      if (hasVector) await client.query("create extension vector");
      const place = { url: "postgres://nobody@127.0.0.1:1/none", secretFile: null, clock: manualClock() };
      database = { client, hasVector, openAway: () => driver.open(place) };
    });
    afterAll(() => database.client.close());

    indexConformance(() => pgvectorWorld(database, `w${hasVector}${++worlds}`), it);

    it("tells dimensions, and the metric of the index that searches; without the extension no metric of its own", async () => {
      await buildTable(database, "facts", WANTED);
      const facts = await pgvectorAliases({ client: database.client }).describe("facts", signal);
      expect(facts).toMatchObject({ count: 4, dims: 3, metric: hasVector ? "cosine" : null, analyzer: null });
      await database.client.query(`insert into facts (id) values ('without a vector')`);
      expect(await pgvectorAliases({ client: database.client }).describe("facts", signal)).toMatchObject({ count: 4 });
    });

    it("finds an index by a name that needs quoting, by one with its schema, and none by what can be no name", async () => {
      const aliases = pgvectorAliases({ client: database.client, table: "alias_quoted" });
      await database.client.query("create schema if not exists rag");
      for (const name of ['"docs-v3-green"', "rag.docs_v3"]) await buildTable(database, name, WANTED);
      for (const name of ["docs-v3-green", "rag.docs_v3"]) {
        expect(await aliases.describe(name, signal)).toMatchObject({ name, count: 4 });
        await aliases.flip({ alias: name, from: null, to: name, epoch: 1 }, signal);
        expect(await aliases.readThrough(name, signal)).toEqual([WANTED.indexHash]);
      }
      expect(await aliases.describe('docs"; drop table facts; --', signal)).toBeNull();
      expect(await aliases.describe("facts", signal)).not.toBeNull();
      for (const name of ["", "a.b.c", "x".repeat(64)]) {
        await expect(aliases.describe(name, signal)).rejects.toMatchObject({ code: "rejected", retry: "never" });
      }
    });

    it("takes a comment of another kind, or half a stamp, for no stamp", async () => {
      const aliases = pgvectorAliases({ client: database.client });
      await buildTable(database, "comments", { ...WANTED, indexHash: null });
      for (const comment of ["documents of 2026", "{", '{"INDEX_HASH": "3"}', "null", '{"METRIC": "cosine"}']) {
        await database.client.query(`comment on table comments is '${comment}'`);
        expect(await aliases.describe("comments", signal)).toMatchObject({ stamp: null });
      }
    });

    it("is not ready with vectors of several lengths, or with no column of vectors", async () => {
      const { client } = database;
      const aliases = pgvectorAliases({ client });
      await client.query("create table mixed (id text, embedding real[])");
      await client.query("insert into mixed values ('a', array[1,2]::real[]), ('b', array[1,2,3]::real[])");
      await client.query("create table texts (id text, body text)");
      expect(await aliases.describe("mixed", signal)).toMatchObject({ notReady: expect.stringMatching(/2 to 3/) });
      expect(await aliases.describe("texts", signal)).toMatchObject({ notReady: expect.stringMatching(/no column/) });
    });
  },
);

describe("index/pgvector with the extension", () => {
  it("is not ready while the index that searches it is not valid, and tells every metric it is searched by", async () => {
    const client = await blankDatabase({ extensions: { vector } });
    try {
      await client.query("create extension vector");
      await buildTable({ client, hasVector: true }, "built", WANTED);
      const aliases = pgvectorAliases({ client });
      await client.query("create index second on built using hnsw (embedding vector_l2_ops)");
      expect(await aliases.describe("built", signal)).toMatchObject({ metric: "cosine and l2", notReady: null });
      await client.query("update pg_index set indisvalid = false where indexrelid = 'second'::regclass");
      expect(await aliases.describe("built", signal)).toMatchObject({
        notReady: expect.stringMatching(/^second on it/),
      });
    } finally {
      await client.close();
    }
  });
});
