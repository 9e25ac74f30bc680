// The same rollout with its store on a PostgreSQL server: bytes of its log a commit, as it is and as it would be if a
// commit wrote plan, state and observations whole.
import pg from "pg";
import { median } from "../measure.mjs";
import { startWorld } from "./world.mjs";

const WINDOWS_A_MINUTE = 240;

/** A store that remembers nothing of what it wrote, so that every commit writes a rollout whole. */
function forgetful(open) {
  const calls = Object.keys(open());
  return Object.fromEntries(calls.map((name) => [name, (...said) => open()[name](...said)]));
}

export async function onServer(load, url, minutes) {
  const { openPostgresStore } = await load("drivers/store/postgres/index.js");
  const { connect, pooled } = await load("drivers/store/postgres/client.js");
  const { sqlStore } = await load("drivers/store/sql/store.js");
  const explain = (error) => Promise.resolve(error);
  const found = {};
  for (const kind of ["whole", "changes"]) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("drop schema if exists sluice cascade");
    const maker = await openPostgresStore({ url });
    await maker.migrate();
    await maker.close();
    const database = pooled(connect({ url }));
    const open = () => sqlStore(database, explain);
    const store = kind === "whole" ? forgetful(open) : open();
    found[kind] = await commitsOf(load, store, client, minutes);
    await database.close();
    await client.end();
  }
  return found;
}

async function commitsOf(load, store, client, minutes) {
  const commits = [];
  const place = async () => Number((await client.query("select pg_current_wal_insert_lsn() - '0/0' as at")).rows[0].at);
  const commit = async (change) => {
    const [before, beganMs] = [await place(), performance.now()];
    const isStored = await store.commit(change);
    const ms = performance.now() - beganMs;
    const { rollout, journal = [], units, owner: _, ...rest } = change;
    const isTelemetry = rollout !== undefined && journal.length === 0 && Object.keys(rest).length === 0;
    if (isTelemetry && units === undefined) commits.push({ bytes: (await place()) - before, ms });
    return isStored;
  };
  const sizes = [];
  const world = await startWorld(load, { ...store, commit }, { perSecond: 200 });
  for (let window = 0; window < WINDOWS_A_MINUTE * (minutes + 1); window++) {
    await world.quarter();
    if (window === WINDOWS_A_MINUTE) commits.length = 0; // The rollout has begun.
    if (window % WINDOWS_A_MINUTE === WINDOWS_A_MINUTE - 1) sizes.push(await sizeOf(client));
  }
  await world.stop();
  const mean = commits.reduce((sum, { bytes }) => sum + bytes, 0) / commits.length;
  return {
    count: commits.length,
    mean,
    middle: median(commits.map((one) => one.bytes)),
    ms: median(commits.map((one) => one.ms)),
    sizes,
  };
}

/** Bytes of the database, of which a server's own upkeep gives back what is not used: once a minute, as it does. */
async function sizeOf(client) {
  await client.query("vacuum");
  return Number((await client.query("select pg_database_size(current_database()) as bytes")).rows[0].bytes);
}

/** Bytes after a day, if the second half of the minutes measured is what each minute is like. */
export function afterADay(sizes) {
  const [half, last] = [sizes[sizes.length >> 1], sizes.at(-1)];
  return last + ((last - half) / (sizes.length - 1 - (sizes.length >> 1))) * 60 * 24;
}
