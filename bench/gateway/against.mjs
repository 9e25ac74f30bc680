// What a request costs in this checkout and in an older one. Both gateways of a launch run beside each other and are
// loaded in turn, in slices so short that a slow minute of the machine falls on both. Several launches: what the compiler
// makes of one process lasts as long as that process, and differs by more than what is looked for.
// node against.mjs --old DIR [--launches 6] [--pairs 12] [--seconds 1]   DIR: a built checkout.
// Core 0: gateways. Core 1: load, origin.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { median, medianRange, settle } from "../measure.mjs";
import { loadScript, originConfig } from "./configs.mjs";
import { startController } from "./controller.mjs";
import { cpuUs, freePort, need, start, wrk } from "./processes.mjs";

const RATIO_MAX = 1.03;
/** Until then the cost of a request falls by a third. */
const WARM_UP_S = 10;
const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const old = option("--old", null);
const [launches, pairCount] = [Number(option("--launches", 6)), Number(option("--pairs", 12))];
const seconds = Number(option("--seconds", 1));
if (old === null || !existsSync(join(old, "dist/gateway/server.js"))) {
  console.error("needs --old DIR, a checkout built with npm run build");
  process.exit(1);
}
need("taskset", "wrk", "nginx");
const dists = {
  old: pathToFileURL(`${resolve(old, "dist")}/`).href,
  new: new URL("../../dist/", import.meta.url).href,
};
if (!existsSync(new URL("gateway/server.js", dists.new))) {
  console.error("needs the compiled product: npm run build");
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
const script = loadScript(folder);
const ports = [await freePort(), await freePort()];
const origin = await start(1, ports[0], "nginx", "-p", folder, "-c", originConfig(folder, ports));
const controller = await startController();
const urls = ports.map((port) => `http://127.0.0.1:${port}`);
const serve = fileURLToPath(new URL("serve.mjs", import.meta.url));

async function startGateway(dist) {
  process.env.SLUICE_DIST = dist;
  const port = await freePort();
  const server = await start(0, port, process.execPath, serve, "sluice", String(port), ...urls, controller.url);
  await wrk(1, port, 64, WARM_UP_S, script);
  return { ...server, port };
}

/** One gateway under load: CPU microseconds a request, requests a second, p99 in microseconds. */
async function measure({ pid, port }) {
  const before = cpuUs(pid);
  const load = await wrk(1, port, 64, seconds, script);
  const cpu = (cpuUs(pid) - before) / load.requests;
  return { cpu, perSecond: load.perSecond, p99: load.p99, errors: load.errors };
}

/** Both gateways, started anew and loaded in turn. */
async function launch(number) {
  const order = number % 2 === 0 ? ["old", "new"] : ["new", "old"];
  const gateways = {};
  for (const which of order) gateways[which] = await startGateway(dists[which]);
  const found = [];
  for (let at = 0; at < pairCount; at++) {
    const pair = {};
    for (const which of at % 2 === 0 ? order : order.toReversed()) pair[which] = await measure(gateways[which]);
    found.push(pair);
  }
  for (const gateway of Object.values(gateways)) await gateway.stop();
  const [middle] = medianRange(found.map((pair) => pair.new.cpu / pair.old.cpu));
  console.log(`launch ${number + 1}: CPU new/old ${middle.toFixed(3)}`);
  return found;
}

const pairs = [];
for (let number = 0; number < launches; number++) pairs.push(...(await launch(number)));
await origin.stop();
controller.close();
rmSync(folder, { recursive: true });

/** Of the pairs' own ratios: both halves of one were measured within seconds of each other. */
const ratio = (name) => medianRange(pairs.map((pair) => pair.new[name] / pair.old[name]));
function row(title, name, digits) {
  const cells = ["old", "new"].map((which) => median(pairs.map((pair) => pair[which][name])).toFixed(digits));
  const [middle, low, high] = ratio(name).map((value) => value.toFixed(3));
  console.log(`${title.padEnd(16)} ${cells.map((cell) => cell.padStart(10)).join(" ")}   ${middle} [${low}..${high}]`);
}
console.log(
  `${"".padEnd(16)} ${"old".padStart(10)} ${"new".padStart(10)}   new/old, median of ${pairs.length} pairs [95 %]`,
);
row("CPU us/request", "cpu", 1);
/** What others on the machine do only adds: the fifth of the slices that were disturbed least. */
const calm = ["old", "new"].map((which) => {
  const sorted = pairs.map((pair) => pair[which].cpu).sort((a, b) => a - b);
  return median(sorted.slice(0, Math.ceil(sorted.length / 5)));
});
console.log(
  `${"  calmest fifth".padEnd(16)} ${calm.map((us) => us.toFixed(1).padStart(10)).join(" ")}   ${(calm[1] / calm[0]).toFixed(3)}`,
);
row("requests/s", "perSecond", 0);
row("p99 us", "p99", 0);
const errors = pairs.reduce((sum, pair) => sum + pair.old.errors + pair.new.errors, 0);
const [cpu] = ratio("cpu");
settle([
  { goal: `CPU a request new/old <= ${RATIO_MAX}`, found: cpu.toFixed(3), met: cpu <= RATIO_MAX },
  { goal: "no error", found: String(errors), met: errors === 0 },
]);
