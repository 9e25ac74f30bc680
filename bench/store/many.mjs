// Many rollouts on one controller in real time, with its store on a PostgreSQL server of its own and ended rollouts
// lying in it: windows taken in a second, how late the clock of a rollout is, how long an abort takes through the API,
// processor time while nothing is sent.
//   node bench/store/many.mjs [ROLLOUTS] [ENDED]
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { settle } from "../measure.mjs";
import { layEnded } from "./ended.mjs";
import { startServer } from "./server.mjs";
import { open, planOf } from "./world.mjs";

const DIST = process.env.SLUICE_DIST ?? fileURLToPath(new URL("../../dist", import.meta.url));
const load = (path) => import(pathToFileURL(join(DIST, path)).href);
const LOAD_MS = 10_000;
const IDLE_MS = 5_000;
const BEGIN_MS = 60_000;
const TICK_MS = 250;
const TOKEN = "b".repeat(43);

const quantile = (values, share) => [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? 0;

/** The clock, with how late each sleep of a tick's length ended. */
function watched(clock) {
  const late = [];
  const sleepOf = async (ms, signal) => {
    const beganMs = performance.now();
    await clock.sleep(ms, signal);
    if (ms === TICK_MS && !signal?.aborted) late.push(performance.now() - beganMs - ms);
  };
  return { late, clock: { ...clock, sleep: sleepOf } };
}

/** The gateways' thread, connected to a controller. Counts what was taken in. */
function connect(takePush, hub, controller, services) {
  const worker = new Worker(new URL("gateways.mjs", import.meta.url), { workerData: { dist: DIST, services } });
  const counted = { windows: 0, pushes: 0, underWay: 0, failed: 0, waitedMs: [] };
  let [answers, documents] = [[], []];
  const flush = () => {
    worker.postMessage({ answers, documents });
    [answers, documents] = [[], []];
  };
  const later = () => {
    if (answers.length + documents.length === 1) setImmediate(flush);
  };
  for (const service of services)
    hub.follow(service, (document) => {
      documents.push([service, JSON.stringify(document)]);
      later();
    });
  const take = async (push) => {
    const beganMs = performance.now();
    counted.underWay++;
    const grant = await takePush(controller, { ...push, version: 2 }).catch((error) => {
      if (counted.failed++ === 0) console.log(`a push failed: ${error.message}`);
      return null;
    });
    counted.underWay--;
    counted.waitedMs.push(performance.now() - beganMs);
    counted.windows += push.windows.length;
    counted.pushes++;
    answers.push([push.service, grant]);
    later();
  };
  worker.on("message", (pushes) => pushes.forEach(take));
  worker.on("error", (error) => {
    throw error;
  });
  return { counted, tell: (told) => worker.postMessage({ told }), stop: () => worker.terminate() };
}

/** The controller's API on a port of its own. */
async function api(controller, clock) {
  const { controllerApp } = await load("controller/api/app.js");
  const { TokenBook } = await load("controller/token-book.js");
  const { createAdaptorServer } = await import("@hono/node-server");
  const tokens = await TokenBook.open(controller.store, clock, [[TOKEN, "admin"]]);
  const allowedHosts = [];
  const options = { secret: "s", tokens, hasOpenMetrics: false, allowedHosts, clock, log: () => {} };
  const app = controllerApp(controller, { ...options, stopped: new AbortController().signal });
  const server = createAdaptorServer({ fetch: app.fetch, createServer });
  await once(server.listen(0, "127.0.0.1"), "listening");
  allowedHosts.push(`127.0.0.1:${server.address().port}`);
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  return {
    async ask(method, path, body) {
      const key = method === "POST" ? { "idempotency-key": `k-${performance.now()}`, "x-operator": "bench" } : {};
      const init = { method, headers: { ...headers, ...key }, ...(body === undefined ? {} : { body }) };
      const answer = await fetch(`http://${allowedHosts[0]}${path}`, init);
      return { status: answer.status, json: await answer.json() };
    },
    close: () => server.close(),
  };
}

async function begin(controller, services) {
  const beganMs = performance.now();
  for (const service of services) {
    const applied = await controller.apply(await planOf(load, `r-${service}`, service));
    if (applied.kind !== "accepted") throw new Error(JSON.stringify(applied));
  }
  const holding = () =>
    services.filter((service) => controller.rollout(`r-${service}`)?.rollout.holdingSince != null).length;
  while (holding() < services.length && performance.now() - beganMs < BEGIN_MS + services.length * 50) await sleep(200);
  console.log(
    `${services.length} rollouts, ${holding()} hold their share ${((performance.now() - beganMs) / 1e3).toFixed(1)} s after the first`,
  );
  return holding();
}

/** Presses abort through the API; how long the answer took, and how long until the rollout was over. */
async function abort({ ask }, id) {
  const beganMs = performance.now();
  const said = await ask("POST", `/v1/rollouts/${id}/abort`, "{}");
  const answeredMs = performance.now() - beganMs;
  if (said.status !== 200) throw new Error(JSON.stringify(said.json));
  for (;;) {
    const { json } = await ask("GET", `/v1/rollouts/${id}`);
    const overMs = performance.now() - beganMs;
    if (json.phase === "aborted" || overMs > 20_000) return { answeredMs, overMs, phase: json.phase };
    await sleep(20);
  }
}

/** Cursors that the store holds, against the last window of each gateway that was acknowledged. */
async function lost(store, controller, services) {
  const stored = new Map((await store.unended()).map((one) => [one.rollout.plan.service, one.observations]));
  const of = (seen) => JSON.stringify([seen?.cursors, seen?.totals.requests]);
  return services.filter((service) => {
    const known = controller.rollout(`r-${service}`);
    return known?.rollout.endedAt === null && of(known.observations) !== of(stored.get(service));
  }).length;
}

async function measure(url, rollouts, ended) {
  const { openPostgresStore } = await load("drivers/store/postgres/index.js");
  const { systemClock } = await load("host/system-clock.js");
  const { takePush } = await load("controller/telemetry-push.js");
  const store = await openPostgresStore({ url });
  await store.migrate();
  const laid = await layEnded(load, store, url, ended);
  const { clock, late } = watched(systemClock());
  const openedMs = performance.now();
  const { hub, controller } = await open(load, store, clock);
  console.log(`opened in ${(performance.now() - openedMs).toFixed(0)} ms beside ${laid} ended rollouts`);
  const services = Array.from({ length: rollouts }, (_, index) => `service-${index}`);
  const gateways = connect(takePush, hub, controller, services);
  const http = await api(controller, clock);
  await sleep(2_500); // Every gateway has spoken.
  const holding = await begin(controller, services);
  gateways.tell("load");
  await sleep(2_000);
  const { counted } = gateways;
  [counted.windows, counted.pushes, counted.waitedMs.length, late.length] = [0, 0, 0, 0];
  const [startMs, cpu] = [performance.now(), process.cpuUsage()];
  await sleep(LOAD_MS / 2);
  const aborted = await abort(http, `r-${services[0]}`);
  await sleep(Math.max(0, LOAD_MS - (performance.now() - startMs)));
  const perSecond = counted.windows / ((performance.now() - startMs) / 1e3);
  const lateUnderLoad = [...late];
  const { user, system } = process.cpuUsage(cpu);
  const waited = [0.5, 0.99].map((share) => quantile(counted.waitedMs, share).toFixed(0));
  const behind = [0.5, 0.99, 1].map((share) => quantile(lateUnderLoad, share).toFixed(0));
  const cores = ((user + system) / 1e3 / (performance.now() - startMs)).toFixed(2);
  const mean = (counted.windows / counted.pushes).toFixed(1);
  console.log(
    `a push has ${mean} windows and waits ${waited.join(", 99 of 100 at most ")} ms; ${cores} cores with the gateways' thread`,
  );
  console.log(`a tick is late by ${behind[0]} ms in the middle, ${behind[1]} in 99 of 100, ${behind[2]} at most`);
  console.log(
    `abort: answered after ${aborted.answeredMs.toFixed(0)} ms, ${aborted.phase} after ${aborted.overMs.toFixed(0)}`,
  );
  gateways.tell("silent");
  await sleep(2_000);
  for (let tries = 0; counted.underWay > 0 && tries < 100; tries++) await sleep(100); // All is acknowledged or refused.
  const running = services.filter((one) => controller.rollout(`r-${one}`)?.rollout.endedAt === null).length;
  const missing = await lost(store, controller, services);
  await gateways.stop();
  const idle = process.cpuUsage();
  await sleep(IDLE_MS);
  const { user: idleUser, system: idleSystem } = process.cpuUsage(idle);
  const idlePercent = (idleUser + idleSystem) / IDLE_MS / 10;
  const { rss, heapUsed } = process.memoryUsage();
  console.log(
    `resident ${(rss / 1e6).toFixed(0)} MB once the gateways' thread is gone, heap ${(heapUsed / 1e6).toFixed(0)}`,
  );
  http.close();
  await controller.stop();
  await store.close();
  return {
    perSecond,
    late: quantile(lateUnderLoad, 1),
    aborted,
    idlePercent,
    holding,
    running,
    missing,
    failed: counted.failed,
  };
}

/** Goals of many rollouts on one controller, each with what was found. */
export async function manyGoals(url, rollouts = 1_000, ended = 10_000) {
  const found = await measure(url, rollouts, ended);
  const { perSecond, late, aborted, idlePercent, holding, running, missing, failed } = found;
  const each = `${holding} of ${rollouts} rollouts running, ${running} at the end (one is aborted)`;
  return [
    {
      goal: "windows taken in a second >= 5 000",
      found: `${perSecond.toFixed(0)}; ${each}`,
      met: perSecond >= 5_000 && holding === rollouts && running >= rollouts - 1,
    },
    { goal: "every tick at most 20 ms late", found: `${late.toFixed(0)} ms`, met: late <= 20 },
    {
      goal: "abort answered through the API within 1 s",
      found: `${aborted.answeredMs.toFixed(0)} ms, over after ${aborted.overMs.toFixed(0)} ms`,
      met: aborted.answeredMs <= 1_000,
    },
    {
      goal: "nothing acknowledged is missing in the store, no push failed",
      found: `${missing} rollouts, ${failed} pushes`,
      met: missing === 0 && failed === 0,
    },
    {
      goal: "idle with all of them: at most 5 % of a core",
      found: `${idlePercent.toFixed(1)} %`,
      met: idlePercent <= 5,
    },
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await startServer();
  if (server === null) console.log("PostgreSQL is not installed: nothing measured");
  else {
    const numbers = process.argv.slice(2).map(Number);
    const goals = await manyGoals(server.url, ...numbers).finally(() => server.stop());
    settle(goals);
  }
}
