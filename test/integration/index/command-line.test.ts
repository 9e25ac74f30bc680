import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { indexHash } from "../../../src/core/release/index-hash.ts";
import { inThisProcess } from "../../cli/sluice-in-process.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../fence/servers.ts";
import { startFake } from "./fake-http.ts";

const TEXTS = ["A boat is moored with two ropes.", "Fuel is sold until six.", "Terns nest on the island. 'ä\\"];
const chunks = TEXTS.map((text, place) => ({ id: `c${place}`, section: `s#${place}`, text }));
const whole = chunks.map((one) => ({ ...one, start: 0, end: Array.from(one.text).length }));

describe.skipIf(!hasPostgres())("sluice index, on a real PostgreSQL", () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  let folder: string;
  beforeAll(async () => {
    server = await startPostgres();
    pool = server.connect();
    folder = mkdtempSync(join(tmpdir(), "index-cli-"));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await pool.end();
    await server.stop();
  });

  const file = (name: string, lines: readonly object[]) => {
    const path = join(folder, name);
    writeFileSync(path, `${lines.map((one) => JSON.stringify(one)).join("\n")}\n`);
    return path;
  };
  const withVectors = chunks.map((one, place) => ({ ...one, vector: [place, 1, 0.5] }));
  const sluice = async (verb: string, ...argv: string[]) => {
    const driver = verb === "build" ? [] : ["--driver", "pgvector"];
    const { code, stdout, stderr } = await inThisProcess(["index", verb, ...driver, "--url", server.url, ...argv]);
    return { code, stdout, stderr, said: `${stdout}${stderr}` };
  };
  const build = async (index: string, ...argv: string[]) => {
    const corpus = file("vectors.jsonl", withVectors);
    const defaults = ["--corpus", corpus, "--embed-schema", "mine@1", "--analyzer", "words", "--index", index];
    return sluice("build", ...defaults, "--json", ...argv);
  };
  const live = ["--alias", "live", "--within", "5s"];

  it("IX-6: builds, compares, moves the name and moves it back, and leaves every index as it is", async () => {
    const made = await build("docs_va");
    const spec = { EMBED_SCHEMA: "mine@1", CHUNK_SCHEMA: "as given", METRIC: "cosine", ANALYZER: "words" };
    const hash = indexHash({ ...spec, STORE: { kind: "pgvector", dims: 3 } }, whole);
    expect([made.code, JSON.parse(made.stdout)]).toMatchObject([0, { index_hash: hash, count: 3, dims: 3 }]);
    const moved = file("moved.jsonl", [...withVectors.slice(0, 2), { ...withVectors[2], text: "Another text." }]);
    expect((await build("docs_vb", "--corpus", moved)).code).toBe(0);

    expect(
      (await sluice("swap", ...live, "--to", "docs_va", "--metric", "cosine", "--analyzer", "words")).said,
    ).toMatch(/there is no name live/);
    const first = ["--to", "docs_va", "--metric", "cosine", "--analyzer", "words", "--create"];
    expect(await sluice("swap", ...live, ...first)).toMatchObject({ code: 0 });
    expect(await sluice("compare", "docs_va", "docs_vb")).toMatchObject({ code: 0 });
    const swapped = await sluice("swap", ...live, "--to", "docs_vb", "--json");
    const there = { from: "docs_va", to: "docs_vb", epoch: 2, read_back: true };
    expect([swapped.code, JSON.parse(swapped.stdout)]).toMatchObject([0, there]);
    const print = JSON.parse((await sluice("fingerprint", "--alias", "live", "--json")).stdout) as object;
    expect(print).toMatchObject({ index: "docs_vb", count: 3, points_to: { previous: "docs_va", epoch: 2 } });
    expect(await sluice("rollback", ...live)).toMatchObject({ code: 0, stdout: expect.stringContaining(hash) });
    expect((await sluice("fingerprint", "--alias", "live")).stdout).toMatch(/live points to docs_va, moved by epoch 3/);
    const { rows } = await pool.query("select (select count(*) from docs_va) a, (select count(*) from docs_vb) b");
    expect(rows).toEqual([{ a: "3", b: "3" }]);
  });

  it("refuses an index of another metric or analyzer with exit 10, though its hash is the expected one; 11 where none can tell", async () => {
    await build("odd_a");
    await build("odd_l2", "--metric", "l2");
    await build("odd_stems", "--analyzer", "stems");
    await pool.query("create table odd_bare (id text, embedding real[])");
    await pool.query("insert into odd_bare values ('a', array[1,2,3]::real[])");
    const alias = ["--alias", "odd", "--within", "5s"];
    await sluice("swap", ...alias, "--to", "odd_a", "--metric", "cosine", "--analyzer", "words", "--create");
    for (const [index, code, why] of [
      ["odd_l2", 10, /metric l2, its service expects cosine/],
      ["odd_stems", 10, /analyzer stems, its service expects words/],
      ["odd_bare", 11, /carries no stamp/],
      ["odd_none", 10, /there is no index odd_none/],
    ] as const) {
      const refused = await sluice("swap", ...alias, "--to", index);
      expect([index, refused.code, refused.said]).toEqual([index, code, expect.stringMatching(why)]);
      expect((await sluice("compare", "odd_a", index)).code).toBe(code);
    }
    const { stdout } = await sluice("fingerprint", "--index", "odd_l2", "--json");
    const { stamp } = JSON.parse(stdout) as { stamp: { INDEX_HASH: string } };
    expect((await sluice("swap", ...alias, "--to", "odd_l2", "--index-hash", stamp.INDEX_HASH)).code).toBe(10);
    expect((await sluice("swap", ...alias, "--to", "odd_a", "--index-hash", stamp.INDEX_HASH)).code).toBe(0);
    expect((await sluice("fingerprint", "--alias", "odd")).stdout).toMatch(/odd points to odd_a/);
    expect((await sluice("swap", ...alias, "--to", "odd_l2", "--allow", "METRIC")).code).toBe(0);
  });

  it("loses with exit 13 against whoever moved the name before, or with a lower epoch", async () => {
    for (const index of ["race_a", "race_b", "race_c"]) await build(index);
    const alias = ["--alias", "race", "--within", "5s"];
    const stated = ["--metric", "cosine", "--analyzer", "words"];
    await sluice("swap", ...alias, "--to", "race_a", "--create", "--epoch", "7", ...stated);
    await sluice("swap", ...alias, "--to", "race_b", "--epoch", "8");
    const late = await sluice("swap", ...alias, "--from", "race_a", "--to", "race_c");
    expect(late).toMatchObject({ code: 13, stderr: expect.stringMatching(/race points to race_b, expected race_a/) });
    expect((await sluice("rollback", ...alias, "--epoch", "6")).code).toBe(13);
    expect((await sluice("fingerprint", "--alias", "race")).stdout).toMatch(/race points to race_b/);
    expect((await sluice("rollback", ...alias, "--to", "race_none")).code).toBe(13);
  });

  it("embeds a corpus without vectors by an OpenAI-compatible service, and stamps what made them", async () => {
    const fake = await startFake(({ body }) => {
      const { input } = body as { input: readonly string[] };
      const data = input.map((text, index) => ({ index, embedding: [text.length, 1, 0, 0] }));
      return { status: 200, body: { data } };
    });
    const before = process.env["SLUICE_EMBEDDER_URL"];
    process.env["SLUICE_EMBEDDER_URL"] = `${fake.url}/v1`;
    try {
      const corpus = file("plain.jsonl", chunks);
      const argv = ["--corpus", corpus, "--analyzer", "none", "--index", "embedded", "--embedder", "openai/small:4"];
      expect(await sluice("build", ...argv)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/3 chunks of 4 dim/),
      });
      const { stdout } = await sluice("fingerprint", "--index", "embedded", "--json");
      expect(JSON.parse(stdout)).toMatchObject({ count: 3, dims: 4, stamp: { EMBED_SCHEMA: "openai/small@-:4d" } });
      const { rows } = await pool.query("select embedding[1] as length, body from embedded order by id");
      expect(rows).toEqual(TEXTS.map((body) => ({ length: body.length, body })));
    } finally {
      if (before === undefined) delete process.env["SLUICE_EMBEDDER_URL"];
      else process.env["SLUICE_EMBEDDER_URL"] = before;
      await fake.close();
    }
  });

  it("stamps no table whose vectors are not those of its texts, embedded again: exit 1, and it says which", async () => {
    let asked = 0;
    const fake = await startFake(({ body }) => {
      const { input } = body as { input: readonly string[] };
      asked++; // First the dimensions, then the rows: those are another model's.
      const data = input.map((text, index) => ({
        index,
        embedding: asked === 2 ? [0, 1, 0, 0] : [text.length, 1, 0, 0],
      }));
      return { status: 200, body: { data } };
    });
    const before = process.env["SLUICE_EMBEDDER_URL"];
    process.env["SLUICE_EMBEDDER_URL"] = `${fake.url}/v1`;
    try {
      const corpus = file("drifting.jsonl", chunks);
      const argv = ["--corpus", corpus, "--analyzer", "none", "--index", "drifted", "--embedder", "openai/small:4"];
      const { code, stderr } = await sluice("build", ...argv);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/drifted is not whole: 3 of 3 sampled vectors/)]);
      const told = await sluice("fingerprint", "--index", "drifted", "--json");
      expect(JSON.parse(told.stdout)).toMatchObject({ count: 3, stamp: null });
    } finally {
      if (before === undefined) delete process.env["SLUICE_EMBEDDER_URL"];
      else process.env["SLUICE_EMBEDDER_URL"] = before;
      await fake.close();
    }
  });

  it("never writes to a table that is there, and refuses a corpus that is not whole, with its line", async () => {
    await build("once");
    expect(await build("once")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/there is a table once already/),
    });
    for (const [lines, why] of [
      [[chunks[0], { id: "c9", section: "s" }], /line 2: .*text/s],
      [[withVectors[0], chunks[1]], /line 2: its vector has no dimensions/],
      [[withVectors[0], { ...withVectors[1], id: "c0" }], /line 2: the id "c0" is that of line 1 too/],
      [[{ ...withVectors[0], text: "half \ud800" }], /line 1: .*half a character/s],
      [[], /holds no chunk/],
    ] as const) {
      const refused = await build("never", "--corpus", file("bad.jsonl", lines as readonly object[]));
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(why)]);
    }
    const { rows } = await pool.query("select to_regclass('never') as there");
    expect(rows).toEqual([{ there: null }]);
  });

  it("refuses a driver that is not there, and tells the ones that are", async () => {
    const argv = ["--driver", "pgvectr", "--url", server.url, "--index", "a"];
    const { code, stderr } = await inThisProcess(["index", "fingerprint", ...argv]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/no driver "pgvectr".*pgvector/)]);
  });
});
