// What a controller writes to disk while one rollout runs: bytes a commit of telemetry, growth of the data directory.
//   npm run bench:store [-- MINUTES]
// One rollout, one gateway, 4 windows a second, on the embedded database through the real driver, in a temporary
// folder that is deleted at the end. MINUTES are the rollout's own (default 10); time is moved, not waited for. Then
// the same on a PostgreSQL server of its own, where one is installed, and what `sluice serve` takes at rest on both, and
// a thousand rollouts at once (`many.mjs`). Prints each goal at the end, and exits 1 when one is missed.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { median, settle } from "../measure.mjs";
import { atRest } from "./at-rest.mjs";
import { manyGoals } from "./many.mjs";
import { afterADay, onServer } from "./on-server.mjs";
import { startServer } from "./server.mjs";
import { startWorld } from "./world.mjs";
import { bytesBelow, countWrites } from "./written.mjs";

const DIST = process.env.SLUICE_DIST ?? fileURLToPath(new URL("../../dist", import.meta.url));
const load = (path) => import(pathToFileURL(join(DIST, path)).href);
const MINUTES = Number(process.argv[2] ?? 10);
const WINDOWS_A_MINUTE = 240;
const PER_SECOND = 200;

/** The store, with each commit's kind, bytes and time written down. */
function counted(store, written) {
  const commits = [];
  const commit = async (change) => {
    const [before, beganMs] = [{ ...written }, performance.now()];
    const isStored = await store.commit(change);
    const ms = performance.now() - beganMs;
    const { rollout, journal = [], units, owner: _, ...rest } = change;
    const isTelemetry = rollout !== undefined && journal.length === 0 && Object.keys(rest).length === 0;
    const kind = isTelemetry ? (units === undefined ? "telemetry" : "telemetry with units") : "other";
    commits.push({ kind, ms, bytes: written.log - before.log + written.tables - before.tables });
    return isStored;
  };
  return { commits, store: { ...store, commit } };
}

function printRow(name, values) {
  const mean = values.reduce((sum, one) => sum + one, 0) / Math.max(1, values.length);
  const [middle = 0, most = 0] = [median(values), Math.max(0, ...values)];
  const count = String(values.length).padStart(7);
  console.log(
    `${name.padEnd(34)} ${count}   mean ${mean.toFixed(2)}  median ${middle.toFixed(2)}  most ${most.toFixed(2)}`,
  );
}

const mb = (bytes) => (bytes / 1e6).toFixed(2);

function print(stored, { commits, atStart, atEnd, sizes }) {
  const { phase, candidateBp } = stored.rollout;
  const [state, seen] = ["rollout", "observations"].map((part) => JSON.stringify(stored[part]).length / 1e3);
  console.log(`${phase} at ${candidateBp / 100} % for ${MINUTES} minutes; state ${state} kB, observations ${seen} kB`);
  for (const kind of ["telemetry", "telemetry with units", "other"]) {
    const ofKind = commits.filter((one) => one.kind === kind);
    printRow(
      `${kind}, kB a commit`,
      ofKind.map(({ bytes }) => bytes / 1e3),
    );
    printRow(
      `${kind}, ms a commit`,
      ofKind.map(({ ms }) => ms),
    );
  }
  const [log, tables, logEnd] = ["log", "tables", "logEnd"].map((part) => (atEnd[part] - atStart[part]) / MINUTES);
  console.log(`written a minute: ${mb(log + tables)} MB (log ${mb(log)}, tables ${mb(tables)})`);
  console.log(
    `the log grows: ${mb(logEnd)} MB a minute, ${((logEnd * MINUTES) / commits.length / 1e3).toFixed(2)} kB a commit`,
  );
  const growth = (sizes.at(-1) - sizes[0]) / MINUTES;
  console.log(`data directory grows: ${mb(growth)} MB a minute, from ${mb(sizes[0])} to ${mb(sizes.at(-1))} MB`);
  console.log(`its size each minute: ${sizes.map((bytes) => (bytes / 1e6).toFixed(0)).join(" ")} MB`);
}

async function measure(folder) {
  const written = countWrites(folder);
  const { openPgliteStore } = await load("drivers/store/pglite/index.js");
  const database = join(folder, "database");
  const opened = await openPgliteStore(database);
  const { commits, store } = counted(opened, written);
  const world = await startWorld(load, store, { perSecond: PER_SECOND });
  const minute = async () => {
    for (let window = 0; window < WINDOWS_A_MINUTE; window++) await world.quarter();
  };
  await minute(); // The rollout begins, and the database grows to its first size.
  const [atStart, first, sizes] = [{ ...written }, commits.length, [bytesBelow(database)]];
  for (let at = 0; at < MINUTES; at++) {
    await minute();
    sizes.push(bytesBelow(database));
  }
  print(world.controller.rollout("bench-1"), { commits: commits.slice(first), atStart, atEnd: { ...written }, sizes });
  await world.stop();
  const beganMs = performance.now();
  await opened.close();
  const again = await openPgliteStore(database);
  await again.rollouts();
  console.log(`closed, opened and read again: ${(performance.now() - beganMs).toFixed(0)} ms`);
  await again.close();
}

const folder = await mkdtemp(join(tmpdir(), "sluice-bench-store-"));
try {
  await measure(folder);
} finally {
  await rm(folder, { recursive: true, force: true });
}

const goals = [];
const server = await startServer();
try {
  if (server === null) console.log("PostgreSQL is not installed: nothing measured on it");
  else {
    const { whole, changes } = await onServer(load, server.url, Math.min(MINUTES, 8));
    for (const [name, { count, mean, middle, ms }] of Object.entries({ whole, changes })) {
      const bytes = `mean ${(mean / 1e3).toFixed(2)}  median ${(middle / 1e3).toFixed(2)} kB of log`;
      console.log(`PostgreSQL, ${name.padEnd(8)} ${count} commits of telemetry: ${bytes}, ${ms.toFixed(1)} ms`);
    }
    const times = whole.mean / changes.mean;
    const day = afterADay(changes.sizes) / 1e6;
    console.log(`the database each minute: ${changes.sizes.map((bytes) => (bytes / 1e6).toFixed(1)).join(" ")} MB`);
    goals.push(
      { goal: "a commit of telemetry writes 1/5 of writing whole", found: `1/${times.toFixed(1)}`, met: times >= 5 },
      { goal: "a rollout's day takes <= 100 MB of disk, as it grew", found: `${day.toFixed(0)} MB`, met: day <= 100 },
    );
  }
  for (const [name, store] of [
    ["embedded", null],
    ["PostgreSQL", server?.url],
  ]) {
    if (store === undefined) continue;
    const { mb: resident, mbPeak, cpu } = await atRest(DIST, store);
    const memory = `${resident.toFixed(0)} MB resident (most ${mbPeak.toFixed(0)})`;
    console.log(`sluice serve at rest, ${name}: ${memory}, ${cpu.toFixed(1)} % of a core`);
    if (store !== null)
      goals.push({
        goal: "at rest <= 120 MB with PostgreSQL",
        found: `${resident.toFixed(0)} MB`,
        met: resident <= 120,
      });
  }
} finally {
  await server?.stop();
}
const another = await startServer();
if (another !== null) goals.push(...(await manyGoals(another.url).finally(() => another.stop())));
settle(goals);
