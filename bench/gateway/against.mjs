// What a request costs in this checkout and in an older one, in turn in one run, so that a slow minute falls on both.
// node against.mjs --old DIR [--rounds 8] [--seconds 3]   DIR: a built checkout. Core 0: gateway. Core 1: load, origin.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { median, settle } from "../measure.mjs";
import { loadScript, originConfig } from "./configs.mjs";
import { cpuUs, freePort, need, start, wrk } from "./processes.mjs";

const RATIO_MAX = 1.03;
const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const old = option("--old", null);
const [rounds, seconds] = [Number(option("--rounds", 8)), Number(option("--seconds", 3))];
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
const urls = ports.map((port) => `http://127.0.0.1:${port}`);
const serve = fileURLToPath(new URL("serve.mjs", import.meta.url));

/** One gateway under load: CPU microseconds a request, requests a second, p99 in microseconds. */
async function measure(which) {
  process.env.SLUICE_DIST = dists[which];
  const port = await freePort();
  const server = await start(0, port, process.execPath, serve, "sluice", String(port), ...urls, "http://127.0.0.1:1");
  await wrk(1, port, 64, 1, script);
  const before = cpuUs(server.pid);
  const load = await wrk(1, port, 64, seconds, script);
  const cpu = (cpuUs(server.pid) - before) / load.requests;
  await server.stop();
  return { cpu, perSecond: load.perSecond, p99: load.p99, errors: load.errors };
}

const pairs = [];
for (let round = 0; round < rounds; round++) {
  const order = round % 2 === 0 ? ["old", "new"] : ["new", "old"];
  const pair = {};
  for (const which of order) pair[which] = await measure(which);
  pairs.push(pair);
  console.error(`round ${round + 1}: CPU ${pair.old.cpu.toFixed(1)} then ${pair.new.cpu.toFixed(1)} us/request`);
}
await origin.stop();
rmSync(folder, { recursive: true });

/** Median of the rounds' ratios: both halves of one were measured within seconds of each other. */
const ratio = (name) => median(pairs.map((pair) => pair.new[name] / pair.old[name]));
const row = (name, digits) =>
  ["old", "new"]
    .map((which) =>
      median(pairs.map((pair) => pair[which][name]))
        .toFixed(digits)
        .padStart(10),
    )
    .join(" ");
console.log("                          old        new   new/old");
console.log(`CPU us/request     ${row("cpu", 1)} ${ratio("cpu").toFixed(3).padStart(9)}`);
console.log(`requests/s         ${row("perSecond", 0)} ${ratio("perSecond").toFixed(3).padStart(9)}`);
console.log(`p99 us             ${row("p99", 0)} ${ratio("p99").toFixed(3).padStart(9)}`);
const errors = pairs.reduce((sum, pair) => sum + pair.old.errors + pair.new.errors, 0);
settle([
  { goal: `CPU a request new/old <= ${RATIO_MAX}`, found: ratio("cpu").toFixed(3), met: ratio("cpu") <= RATIO_MAX },
  { goal: "no error", found: String(errors), met: errors === 0 },
]);
