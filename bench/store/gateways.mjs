// Gateways of many services in a thread of their own: they serve, hear documents and report. What they send is given to
// the thread of the controller, whose time none of this takes.
import { parentPort, workerData } from "node:worker_threads";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { uniform } from "../judge-trace/events.mjs";
import { gatewayOf, serve } from "./world.mjs";

const { dist, services } = workerData;
const load = (path) => import(pathToFileURL(join(dist, path)).href);
/** Under load every gateway closes a window this often; without load it speaks as often as it needs to live. */
const WINDOW_MS = 185;
const QUIET_MS = 1_000;
/** Pushes given over at once: a controller is given one after another by its network. */
const AT_ONCE = 8;
const REQUESTS = 5;

const { systemClock } = await load("host/system-clock.js");
const { route } = await load("core/routing/route.js");
const [clock, random] = [systemClock(), uniform(7)];
const planes = [];
for (const service of services) {
  const waiting = [];
  const gatewayId = `gateway-of-${service}.1`;
  const plane = await gatewayOf(load, clock, waiting, gatewayId, service);
  planes.push({ service, gatewayId, waiting, plane, ask: null, dueMs: performance.now() + Math.random() * QUIET_MS });
}
const byService = new Map(planes.map((one) => [one.service, one]));
let mode = "quiet";

/** One push at a time: windows that close meanwhile go with the next one, as those of a real gateway do. */
function pushOf(one) {
  const { plane, waiting, service, gatewayId } = one;
  const { report, ask } = plane.report(`nonce-of-${clock.monoMs()}`, false);
  one.ask = ask;
  const adopted = { epoch: plane.document.epoch, seq: plane.document.seq };
  return { service, gatewayId, windows: waiting.splice(0), adopted, report };
}

/** Closes the windows that are due, and sends of whoever has something to send. */
function speak() {
  if (mode === "silent") return;
  const nowMs = performance.now();
  let pushes = [];
  for (const one of planes) {
    if (nowMs >= one.dueMs) {
      serve(one.plane, { route, random, clock, requests: REQUESTS });
      one.dueMs = Math.max(one.dueMs, nowMs - 5 * WINDOW_MS) + (mode === "load" ? WINDOW_MS : QUIET_MS);
    }
    if (one.waiting.length > 0 && one.ask === null) pushes.push(pushOf(one));
    if (pushes.length < AT_ONCE) continue;
    parentPort.postMessage(pushes);
    pushes = [];
  }
  if (pushes.length > 0) parentPort.postMessage(pushes);
}

parentPort.on("message", async ({ told, documents, answers }) => {
  if (told === "load") for (const one of planes) one.dueMs = performance.now() + Math.random() * WINDOW_MS;
  if (told !== undefined) mode = told;
  for (const [service, text] of documents ?? []) await byService.get(service).plane.offer(text);
  for (const [service, grant] of answers ?? []) {
    const one = byService.get(service);
    const { ask } = one;
    one.ask = null;
    if (grant !== null) await one.plane.hear(ask, grant);
  }
});
setInterval(speak, 5);
