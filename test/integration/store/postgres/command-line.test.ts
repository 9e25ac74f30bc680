import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSluice, type RunningSluice, startSluice, temporaryFolder } from "../../../cli/run-sluice.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../fence/servers.ts";

/** Beyond what any controller counts to. */
const JUMP = 2 ** 32;

describe.skipIf(!hasPostgres())("sluice with its store on PostgreSQL", { timeout: 120_000 }, () => {
  let server: PostgresServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let running: RunningSluice | null = null;
  beforeAll(async () => {
    [server, folder] = [await startPostgres(), await temporaryFolder()];
    const pool = server.connect(1);
    for (const name of ["other", "empty"]) await pool.query(`create database ${name}`);
    await pool.end();
  });
  afterAll(async () => {
    await running?.stop("SIGKILL");
    await server.stop();
    await folder.remove();
  });

  const database = (name: string) => server.url.replace(/\w+$/, name);
  const at = (name: string) => ["--data", join(folder.path, name)];
  const serving = (data: string, ...more: readonly string[]) => ["serve", ...at(data), "--port", "0", ...more];
  const refused = async (...argv: readonly string[]): Promise<readonly [number | null, string]> => {
    const { code, stderr } = await runSluice(argv);
    return [code, stderr];
  };
  const owner = async (name: string) => {
    const pool = server.connect(1);
    pool.options.database = name;
    const { rows } = await pool.query("select store, owner, epoch_floor from sluice.ownership");
    await pool.end();
    return { store: rows[0].store, owner: Number(rows[0].owner), epochFloor: Number(rows[0].epoch_floor) };
  };
  const start = async (data: string, name: string, ...more: readonly string[]): Promise<void> => {
    running = startSluice([...serving(data, "--store", database(name), ...more), "--json"]);
    await running.ready;
  };

  it("takes no password from its arguments, and does not repeat one", async () => {
    const [code, said] = await refused(...serving("a", "--store", "postgres://u:hunter2@127.0.0.1:1/x"));
    expect([code, said]).toEqual([2, expect.stringContaining("SLUICE_STORE_PASSWORD")]);
    expect(said).not.toContain("hunter2");
    expect(await refused(...serving("a", "--store", "mysql://h/d"))).toEqual([
      2,
      expect.stringContaining("postgres://"),
    ]);
    expect(await refused(...serving("a", "--store", "postgres://h"))).toEqual([
      2,
      expect.stringContaining("the database is missing"),
    ]);
  });

  it("says which database is unknown and which server does not answer", async () => {
    expect(await refused(...serving("a", "--store", database("nowhere")))).toEqual([
      1,
      expect.stringMatching(/postgres:\/\/127.0.0.1:\d+\/nowhere failed: .*does not exist; make it with createdb/),
    ]);
    expect(await refused(...serving("a", "--store", "postgres://u@127.0.0.1:1/x"))).toEqual([
      1,
      expect.stringMatching(/ECONNREFUSED.*\(unreachable\)/),
    ]);
  });

  it("serves, answers its commands, tells of a setting that loses commits, and gives the store up at its end", async () => {
    await start("a", "postgres");
    const status = await runSluice(["status", ...at("a"), "--json"]);
    expect([status.code, JSON.parse(status.stdout)]).toEqual([0, expect.anything()]);
    expect((await runSluice(["prune", ...at("a")])).code).toBe(0);
    expect(await runSluice(["backup", join(folder.path, "running.gz"), ...at("a")])).toMatchObject({ code: 0 });
    expect((await running?.stop())?.code).toBe(0);
    await start("a", "postgres?options=-c%20synchronous_commit%3Doff");
    expect(running?.said()).toContain("may lose what it has confirmed (fsync=on synchronous_commit=off)");
    expect((await running?.stop())?.code).toBe(0);
    expect((await owner("postgres")).owner).toBe(2);
  });

  it("refuses a database of no store or of another one where its own was", async () => {
    const [code, said] = await refused(...serving("a", "--store", database("empty")));
    expect([code, said]).toEqual([1, expect.stringMatching(/\/empty is of no store yet, and .*store-id says/)]);
    await start("b", "empty");
    await running?.stop();
    const other = await refused(...serving("a", "--store", database("empty")));
    expect(other).toEqual([1, expect.stringMatching(/\/empty is of store [0-9a-f]{32}, and .*store-id says/)]);
    const embedded = await refused(...serving("a"));
    expect(embedded).toEqual([1, expect.stringMatching(/name its server with --store/)]);
  });

  it("backs a stopped one up, restores it into an empty database and into a folder, above what was given", async () => {
    const file = join(folder.path, "stopped.gz");
    expect((await runSluice(["backup", file, ...at("a"), "--store", database("postgres")])).code).toBe(0);
    const { store } = await owner("postgres");
    const restore = ["restore", file, ...at("c"), "--store", database("other")];
    expect(await runSluice(restore)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`holds store ${store}`),
    });
    expect(await owner("other")).toMatchObject({ store, epochFloor: JUMP });
    expect((await owner("other")).owner).toBeGreaterThan(JUMP);
    expect(await refused(...restore)).toEqual([1, expect.stringMatching(/holds a store already; nothing was changed/)]);
    await start("c", "other");
    await running?.stop();
    expect((await runSluice(["restore", file, ...at("d")])).code).toBe(0);
    running = startSluice([...serving("d"), "--json"]);
    await running.ready;
    await running.stop();
  });

  it("accepts a database that was put back by other means, once it is told", async () => {
    const before = await owner("postgres");
    const told = await runSluice(["restore", ...at("a"), "--store", database("postgres"), "--json"]);
    expect([told.code, JSON.parse(told.stdout)]).toEqual([0, expect.objectContaining({ rollouts: 0, paused: [] })]);
    const after = await owner("postgres");
    expect([after.store, after.epochFloor - before.epochFloor]).toEqual([before.store, JUMP]);
    expect(after.owner).toBeGreaterThan(before.owner + JUMP);
    expect(await refused("restore", ...at("a"))).toEqual([2, expect.stringContaining("or with --store the server")]);
    await start("a", "postgres");
    expect((await running?.stop())?.code).toBe(0);
  });

  it("ends with 13 and says who has the store when another one takes it", async () => {
    await start("a", "postgres");
    const first = running as RunningSluice;
    for (const name of ["token", "gateway-token", "signing-key", "store-id"])
      await cp(join(folder.path, "a", name), join(folder.path, "e", name), { recursive: true });
    await start("e", "postgres", "--take-over");
    const { code, stderr } = await first.finished;
    expect([code, stderr]).toEqual([13, expect.stringContaining(`process ${running?.child.pid} on `)]);
    await running?.stop();
  });
});
