// Hostile clients beside users: node run.mjs [--seconds 40] [--rate 100] [--only "slowloris"] [--beside-ours 40]
// Core 0: the gateway, or nginx, with service and users. Core 1: the attackers, each kind from an address of its own.
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startController } from "../gateway/controller.mjs";
import { hostileNginxConfig } from "../gateway/configs.mjs";
import { freePort, need, needBuild, start } from "../gateway/processes.mjs";
import { settle } from "../measure.mjs";
import { ATTACKS } from "./attacks.mjs";
import { enterOwnNetwork } from "./network.mjs";
import { goalsOf, printTable } from "./report.mjs";

/** What an attack gets to build itself up before users are counted. */
const RAMP_MS = 3_000;
/** What is left of an attack is over after this. */
const REST_MS = 3_000;
const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const [seconds, rate] = [option("--seconds", 40), option("--rate", 100)];
/** Our users beside an attack ask for so long: a million pipelined requests take a single process minutes. */
const besideSeconds = { nginx: seconds, sluice: option("--beside-ours", seconds) };
need("taskset", "nginx");
needBuild();
enterOwnNetwork();

const folder = mkdtempSync(join(tmpdir(), "sluice-hostile-"));
chmodSync(folder, 0o711); // Started as root, the workers of nginx are somebody else.
const child = fileURLToPath(new URL("child.mjs", import.meta.url));
const serve = fileURLToPath(new URL("../gateway/serve.mjs", import.meta.url));
const running = new Set();
process.once("exit", () => {
  for (const one of running) one.kill("SIGKILL");
});
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const servicePort = await freePort();
const service = await start(0, servicePort, process.execPath, child, "service", String(servicePort));
const url = `http://127.0.0.1:${servicePort}`;
const controller = await startController();

const only = process.argv.indexOf("--only");
const kinds = [
  ...ATTACKS.map(({ name }) => ({ title: name, names: [name] })),
  { title: "all of them", names: ATTACKS.map(({ name }) => name) },
].filter(({ title }) => only < 0 || title === process.argv[only + 1]);
const found = { nginx: await measure("nginx"), sluice: await measure("sluice") };
await service.stop();
controller.close();
rmSync(folder, { recursive: true });
printTable(found);
settle(goalsOf(found));

/** One of the two in front of the service: users alone, then beside each attack. */
async function measure(which) {
  const port = await freePort();
  const server =
    which === "nginx"
      ? await start(0, port, "nginx", "-p", folder, "-c", hostileNginxConfig(folder, port, servicePort))
      : await start(0, port, process.execPath, serve, "sluice", String(port), url, url, controller.url);
  await users(port, 3);
  const quiet = { title: "users alone", ...(await users(port, seconds)), peakMb: residentMb(server.pid) };
  const rows = [quiet];
  for (const { title, names } of kinds) {
    const attack = startAttack(port, names);
    await sleep(RAMP_MS);
    const memory = watchMemory(server.pid);
    const row = { title, ...(await users(port, besideSeconds[which])), peakMb: memory.peakMb() };
    rows.push({ ...row, attackers: await attack.stop() });
    console.error(`${which}: ${title}: ${JSON.stringify(rows.at(-1))}`);
    await sleep(REST_MS);
  }
  await server.stop();
  return rows;
}

function startAttack(port, names) {
  const { done, process: attacker } = run(1, "attack", port, ...names);
  return {
    async stop() {
      attacker.kill("SIGTERM");
      return done;
    },
  };
}

function users(port, forSeconds) {
  return run(0, "users", port, forSeconds, rate).done;
}

/** A child of this benchmark on a core, and what it prints when it ends. */
function run(core, ...args) {
  const command = ["-c", core, process.execPath, child, ...args].map(String);
  const started = spawn("taskset", command, { stdio: ["ignore", "pipe", "inherit"] });
  running.add(started);
  started.once("close", () => running.delete(started));
  let text = "";
  started.stdout.on("data", (chunk) => (text += chunk));
  const done = new Promise((resolve, reject) => {
    started.once("error", reject);
    started.once("close", () => resolve(JSON.parse(text)));
  });
  return { process: started, done };
}

function watchMemory(pid) {
  let peakMb = residentMb(pid);
  const timer = setInterval(() => (peakMb = Math.max(peakMb, residentMb(pid))), 200);
  return {
    peakMb() {
      clearInterval(timer);
      return peakMb;
    },
  };
}

/** Resident memory of a process and all below it. */
function residentMb(pid) {
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  const below = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
      .split(" ")
      .filter((text) => text.trim() !== ""),
  );
  return kilobytes / 1_024 + below.reduce((sum, one) => sum + residentMb(one), 0);
}
