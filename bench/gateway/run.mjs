// CPU cost of one proxied request: ours beside the bare floor, Node packages and nginx.
// node run.mjs [--rounds 3] [--seconds 5] [--all]   Core 0: the thing under test. Core 1: load, origin, controller.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, settle } from "../measure.mjs";
import { loadScript, nginxConfig, originConfig } from "./configs.mjs";
import { startController } from "./controller.mjs";
import { cpuUs, freePort, need, needBuild, start, wrk } from "./processes.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const rounds = option("--rounds", 3);
const seconds = option("--seconds", 5);
const kinds = ["bare", "sluice", "fast-proxy", "http-proxy", "nginx"];
if (process.argv.includes("--all")) kinds.push("httpxy", "fastify-http-proxy");

need("taskset", "wrk", "nginx");
needBuild();
if (!existsSync(join(here, "node_modules"))) {
  console.error("needs its peers: npm ci --prefix bench/gateway");
  process.exit(1);
}
spawnSync("taskset", ["-pc", "1", String(process.pid)], { stdio: "ignore" });

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
const script = loadScript(folder);
const ports = [await freePort(), await freePort()];
const origin = await start(1, ports[0], "nginx", "-p", folder, "-c", originConfig(folder, ports));
const controller = await startController();
const urls = ports.map((port) => `http://127.0.0.1:${port}`);
const found = new Map(kinds.map((kind) => [kind, []]));

for (let round = 0; round < rounds; round++) {
  for (const kind of kinds) {
    const port = await freePort();
    const command =
      kind === "nginx"
        ? ["nginx", "-p", folder, "-c", nginxConfig(folder, port, ports)]
        : [process.execPath, join(here, "serve.mjs"), kind, String(port), ...urls, controller.url];
    const server = await start(0, port, ...command);
    await wrk(1, port, 64, 2, script);
    const before = cpuUs(server.pid);
    const load = await wrk(1, port, 64, seconds, script);
    const cpu = (cpuUs(server.pid) - before) / load.requests;
    await server.stop();
    found.get(kind).push({ ...load, cpu });
    console.error(`round ${round + 1} ${kind}: ${cpu.toFixed(1)} us/request, ${load.errors} errors`);
  }
}
await origin.stop();
controller.close();
rmSync(folder, { recursive: true });

const cpuOf = (kind) => median(found.get(kind).map(({ cpu }) => cpu));
console.log("proxy                 CPU us/request         of bare   requests/s   p50 ms   p99 ms   errors");
for (const [kind, runs] of found) {
  const cpus = runs.map(({ cpu }) => cpu);
  const of = (name) => median(runs.map((run) => run[name]));
  const spread = `[${Math.min(...cpus).toFixed(0)}..${Math.max(...cpus).toFixed(0)}]`;
  const cells = [
    kind.padEnd(20),
    cpuOf(kind).toFixed(1).padStart(7),
    spread.padEnd(14),
    (cpuOf(kind) / cpuOf("bare")).toFixed(2).padStart(7),
    of("perSecond").toFixed(0).padStart(12),
    (of("p50") / 1e3).toFixed(1).padStart(8),
    (of("p99") / 1e3).toFixed(1).padStart(8),
    String(runs.reduce((sum, { errors }) => sum + errors, 0)).padStart(8),
  ];
  console.log(cells.join(" "));
}
const toBare = cpuOf("sluice") / cpuOf("bare");
const peers = kinds.filter((kind) => !["bare", "sluice", "nginx"].includes(kind));
const best = Math.min(...peers.map(cpuOf));
const errors = found.get("sluice").reduce((sum, run) => sum + run.errors, 0);
console.log(
  `of nginx: ${(cpuOf("nginx") / cpuOf("sluice")).toFixed(2)}; windows taken by the controller: ${controller.windows()}`,
);
settle([
  { goal: "CPU at most 1.15x the bare floor", found: `${toBare.toFixed(3)}x`, met: toBare <= 1.15 },
  {
    goal: "at least 1.8x better than the best Node package",
    found: `${(best / cpuOf("sluice")).toFixed(2)}x`,
    met: best / cpuOf("sluice") >= 1.8,
  },
  { goal: "no error under load", found: `${errors}`, met: errors === 0 },
  { goal: "telemetry was on", found: `${controller.windows()} windows`, met: controller.windows() > 0 },
]);
