// What the fence costs over the bare driver, sequentially and with 64 callers, on durable servers of its own.
//   SECONDS=0.5 ROUNDS=15 node bench/fence/run.mjs layer [redis]
import { Redis } from "ioredis";
import type pg from "pg";
import { postgresFence } from "../../src/drivers/fence/postgres/index.ts";
import { statementsFor } from "../../src/drivers/fence/postgres/statements.ts";
import { redisFence } from "../../src/drivers/fence/redis/index.ts";
import { SCRIPTS } from "../../src/drivers/fence/redis/scripts.ts";
import type { FenceStore } from "../../src/ports/fence-store.ts";
import { startPostgres, startRedis } from "../../test/integration/fence/servers.ts";
import { checkGoal, interleaved, keySource, perSecondOf, print, ratioOf } from "./measure.ts";

const SECONDS = Number(process.env["SECONDS"] ?? 0.5);
const ROUNDS = Number(process.env["ROUNDS"] ?? 15);
const RETENTION_MS = 86_400_000;
const RESULT = JSON.stringify({ status: 201, body: "x".repeat(64) });

let attempts = 0;
const requestOf = (key: string) => {
  const identity = { scope: "bench", key, fingerprint: "f", attemptId: `attempt-${++attempts}` };
  return { ...identity, leaseMs: 30_000, effectKey: null, note: "", kind: "work" as const, observed: null };
};

/** Claim and complete through the fence; counts winners by key. */
function fenced(
  store: FenceStore,
  keys: ReturnType<typeof keySource>,
  winners: Map<string, number>,
  completes: boolean,
) {
  return async () => {
    const request = requestOf(keys.next());
    const answer = await store.claim(request);
    if (answer.kind !== "held") return;
    winners.set(request.key, (winners.get(request.key) ?? 0) + 1);
    const { scope, key, attemptId } = request;
    if (completes) await store.complete({ scope, key, attemptId, token: answer.token }, RESULT, RETENTION_MS);
  };
}

function reportWinners(what: string, keys: ReturnType<typeof keySource>, winners: ReadonlyMap<string, number>): void {
  const doubled = [...winners.values()].filter((count) => count !== 1).length;
  console.log(`  winners: ${what}: ${winners.size} of ${keys.distinct.size} keys won, ${doubled} won twice`);
  if (winners.size !== keys.distinct.size || doubled > 0) process.exitCode = 1;
}

async function benchPostgres(): Promise<void> {
  const server = await startPostgres(["max_wal_size=4GB"]);
  const [pool, sql] = [server.connect(8), statementsFor("sluice_fence")];
  const store = postgresFence({ client: pool });
  await store.migrate();
  await pool.query(
    "create table bare (key text primary key, attempt text not null, result text, at timestamptz default now())",
  );
  await pool.query("create table claimed (like bare including all)");
  console.log(`PostgreSQL: ${(await store.check()).found}`);
  const bareKeys = keySource("b");
  const sameKeys = keySource("s");
  const same = async () => {
    const r = requestOf(sameKeys.next());
    const claim = [[r.scope], [r.key], [r.kind], [r.fingerprint], [r.attemptId], [r.leaseMs], [null], [r.note]];
    const { rows } = await pool.query<{ token: string }>(sql.insert, claim);
    if (rows[0] === undefined) return;
    await pool.query(sql.complete, [[r.scope], [r.key], [r.attemptId], [rows[0].token], [RESULT], [RETENTION_MS]]);
  };
  const bare = async () => {
    const r = requestOf(bareKeys.next());
    const insert = "insert into bare (key, attempt) values ($1, $2) on conflict do nothing";
    if ((await pool.query(insert, [r.key, r.attemptId])).rowCount !== 1) return;
    await pool.query("update bare set result = $3 where key = $1 and attempt = $2", [r.key, r.attemptId, RESULT]);
  };
  const [keys, winners] = [keySource("f"), new Map<string, number>()];
  const both = {
    "bare driver, the same two statements": same,
    "bare driver, smallest insert + update": bare,
    "fence: claim + complete": fenced(store, keys, winners, true),
  };
  const bothRounds = await interleaved(ROUNDS, 1, SECONDS, both);
  print("PostgreSQL, one caller, claim + complete", bothRounds, "bare driver, the same two statements");
  checkGoal(
    "of the same two statements",
    ratioOf(bothRounds, "fence: claim + complete", "bare driver, the same two statements")[1],
    0.85,
  );
  reportWinners("sequential", keys, winners);

  const [manyKeys, manyWinners, rowKeys] = [keySource("m"), new Map<string, number>(), keySource("r")];
  const row = () =>
    pool.query("insert into claimed (key, attempt) values ($1, $2) on conflict do nothing", [rowKeys.next(), "a"]);
  const many = { "row by row, pool of 8": row, "fence: claims": fenced(store, manyKeys, manyWinners, false) };
  const manyRounds = await interleaved(ROUNDS, 64, SECONDS, many);
  print("PostgreSQL, 64 callers, claims only", manyRounds, "row by row, pool of 8");
  checkGoal("claims a second", perSecondOf(manyRounds, "fence: claims"), 15_000);
  reportWinners("64 callers", manyKeys, manyWinners);
  const [pairKeys, pairWinners] = [keySource("p"), new Map<string, number>()];
  const pairs = {
    "bare driver, the same two statements": same,
    "fence: claim + complete": fenced(store, pairKeys, pairWinners, true),
  };
  const pairsRounds = await interleaved(ROUNDS, 64, SECONDS, pairs);
  print("PostgreSQL, 64 callers, claim + complete", pairsRounds, "bare driver, the same two statements");
  reportWinners("64 callers, completed", pairKeys, pairWinners);
  await (pool as pg.Pool).end();
  await server.stop();
}

async function benchRedis(): Promise<void> {
  const server = await startRedis();
  const raw = new Redis(server.port, "127.0.0.1", { enableAutoPipelining: true });
  const client = new Redis(server.port, "127.0.0.1");
  const store = redisFence({ client });
  console.log(`\nRedis: ${(await store.check()).found}`);
  const [claimSha, completeSha] = [
    await raw.script("LOAD", SCRIPTS.claim),
    await raw.script("LOAD", SCRIPTS.complete),
  ] as [string, string];
  const sameKeys = keySource("s");
  const same = async () => {
    const { key, attemptId } = requestOf(sameKeys.next());
    const name = `same:${key}`;
    const [, token] = (await client.evalsha(
      claimSha,
      2,
      "same:token",
      name,
      attemptId,
      30_000,
      '0""\nwork\n"f"\nnull\n',
    )) as [string, unknown];
    if (typeof token === "number")
      await client.evalsha(completeSha, 1, name, attemptId, `${token}`, RESULT, RETENTION_MS);
  };
  const [keys, winners] = [keySource("f"), new Map<string, number>()];
  const both = {
    "bare driver, the same two scripts": same,
    "fence: claim + complete": fenced(store, keys, winners, true),
  };
  const bothRounds = await interleaved(ROUNDS, 1, SECONDS, both);
  print("Redis, one caller, claim + complete", bothRounds, "bare driver, the same two scripts");
  checkGoal(
    "of the same two scripts",
    ratioOf(bothRounds, "fence: claim + complete", "bare driver, the same two scripts")[1],
    0.85,
  );
  reportWinners("sequential", keys, winners);
  const [rawKeys, manyKeys, manyWinners] = [keySource("r"), keySource("m"), new Map<string, number>()];
  const set = () => raw.set(`raw:${rawKeys.next()}`, `attempt-${++attempts}`, "PX", RETENTION_MS, "NX");
  const many = {
    "ioredis auto-pipelined SET NX PX": set,
    "fence: claims": fenced(store, manyKeys, manyWinners, false),
  };
  const manyRounds = await interleaved(ROUNDS, 64, SECONDS, many);
  print("Redis, 64 callers, claims only", manyRounds, "ioredis auto-pipelined SET NX PX");
  checkGoal(
    "of auto-pipelined claims",
    ratioOf(manyRounds, "fence: claims", "ioredis auto-pipelined SET NX PX")[1],
    0.85,
  );
  reportWinners("64 callers", manyKeys, manyWinners);
  raw.disconnect();
  client.disconnect();
  await server.stop();
}

if (!process.argv.includes("redis")) await benchPostgres();
await benchRedis();
