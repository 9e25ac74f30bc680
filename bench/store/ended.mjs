// Ended rollouts in a store: one that was carried out, and copies of its rows under other names.
import pg from "pg";
import { startWorld } from "./world.mjs";

const JOURNAL_ENTRIES = 20;

/** Lays so many rollouts that are over into a store. @returns how many lie there */
export async function layEnded(load, store, url, count) {
  if (count === 0) return 0;
  const world = await startWorld(load, store, { perSecond: 200 });
  for (let window = 0; window < 80; window++) await world.quarter();
  const { controller } = world;
  await controller.command("bench-1", { command: "abort", full: false, by: "bench", reason: "" });
  for (let window = 0; window < 12; window++) await world.quarter();
  if (controller.rollout("bench-1").rollout.phase !== "aborted") throw new Error("it does not end");
  await world.stop();
  const client = new pg.Client({ connectionString: url, options: "-c search_path=sluice" });
  await client.connect();
  const named = "'old-' || n";
  await client.query(
    `insert into rollouts (id, service, version, created_at, rollout, observations, plan, ended)
      select ${named}, 'old-service-' || (n % 100), version, created_at, rollout, observations,
        replace(plan::text, 'bench-1', ${named})::json, replace(ended::text, 'bench-1', ${named})::json
      from rollouts, generate_series(1, $1) n where id = 'bench-1'`,
    [count - 1],
  );
  await client.query(
    `insert into journal (rollout_id, entry_index, entry)
      select ${named}, at, (select entry from journal where rollout_id = 'bench-1' and entry_index = 0)
      from generate_series(1, $1) n, generate_series(0, $2) at`,
    [count - 1, JOURNAL_ENTRIES - 1],
  );
  await client.query("delete from journal where rollout_id = 'bench-1' and entry_index >= $1", [JOURNAL_ENTRIES]);
  await client.query("analyze");
  const { rows } = await client.query("select count(*) as count from rollouts where ended is not null");
  await client.end();
  return Number(rows[0].count);
}
