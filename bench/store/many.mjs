// Many rollouts on one controller in real time, with its store on a PostgreSQL server of its own: windows taken in a
// second, how late the clock of a rollout is, how long an abort takes, processor time while nothing is sent.
//   node bench/store/many.mjs [ROLLOUTS]
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { join } from "node:path";
import { uniform } from "../judge-trace/events.mjs";
import { startServer } from "./server.mjs";
import { gatewayOf, open, planOf, serve } from "./world.mjs";

const DIST = process.env.SLUICE_DIST ?? fileURLToPath(new URL("../../dist", import.meta.url));
const load = (path) => import(pathToFileURL(join(DIST, path)).href);
const ROLLOUTS = Number(process.argv[2] ?? 1_000);
const LOAD_MS = 8_000;
const IDLE_MS = 5_000;
const AT_ONCE = 64;

/** Runs work of all items, so many at once. */
async function each(items, work) {
  const left = [...items];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
    }),
  );
}

async function measure(url) {
  const { openPostgresStore } = await load("drivers/store/postgres/index.js");
  const { systemClock } = await load("host/system-clock.js");
  const { takePush } = await load("controller/telemetry-push.js");
  const { route } = await load("core/routing/route.js");
  const store = await openPostgresStore({ url });
  await store.migrate();
  const [clock, random] = [systemClock(), uniform(7)];
  const { hub, controller } = await open(load, store, clock);
  const planes = [];
  for (let index = 0; index < ROLLOUTS; index++) {
    const [service, waiting] = [`service-${index}`, []];
    const gatewayId = `gateway-${index}.1`;
    planes.push({ service, gatewayId, waiting, plane: await gatewayOf(load, clock, waiting, gatewayId, service) });
  }
  let taken = 0;
  const push = async ({ service, gatewayId, waiting, plane }) => {
    serve(plane, { route, random, clock, requests: 5 });
    const document = hub.current(service);
    if (document !== null) await plane.offer(JSON.stringify(document));
    const { report, ask } = plane.report(`nonce-of-${clock.monoMs()}`, false);
    const windows = waiting.splice(0);
    const adopted = { epoch: plane.document.epoch, seq: plane.document.seq };
    const grant = await takePush(controller, { service, gatewayId, windows, adopted, report, version: 2 });
    if (grant !== null) await plane.hear(ask, grant);
    taken += windows.length;
  };
  const beganMs = performance.now();
  for (const one of planes) {
    await push(one); // A gateway that was silent for seconds does not count as connected.
    const applied = await controller.apply(await planOf(load, `r-${one.service}`, one.service));
    if (applied.kind !== "accepted") throw new Error(JSON.stringify(applied));
  }
  console.log(`${ROLLOUTS} rollouts accepted in ${((performance.now() - beganMs) / 1e3).toFixed(1)} s`);
  for (let round = 0; round < 3; round++) await each(planes, push);
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  [taken] = [0];
  const startMs = performance.now();
  while (performance.now() - startMs < LOAD_MS) await each(planes, push);
  const seconds = (performance.now() - startMs) / 1e3;
  delay.disable();
  const late = (value) => (value / 1e6 - 10).toFixed(0);
  console.log(
    `windows taken in: ${(taken / seconds).toFixed(0)} a second; the loop is late by median ${late(delay.percentile(50))}, p99 ${late(delay.percentile(99))} ms`,
  );
  const abortMs = performance.now();
  const { kind } = await controller.command("r-service-0", { command: "abort", full: false, by: "bench", reason: "" });
  console.log(`abort is ${kind} after ${(performance.now() - abortMs).toFixed(0)} ms`);
  await sleep(1_000);
  const cpu = process.cpuUsage();
  await sleep(IDLE_MS);
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `idle: ${((user + system) / IDLE_MS / 10).toFixed(0)} % of a core; resident ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
  );
  await controller.stop();
  await store.close();
}

const server = await startServer();
if (server === null) console.log("PostgreSQL is not installed: nothing measured");
else await measure(server.url).finally(() => server.stop());
