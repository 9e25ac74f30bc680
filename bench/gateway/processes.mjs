// Servers of the benchmark as child processes pinned to one core, and what they cost.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";

/** Exits 1 with what to install when a program is missing. */
export function need(...programs) {
  const missing = programs.filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);
  if (missing.length === 0) return;
  console.error(`needs ${missing.join(", ")}: apt-get install -y wrk nginx-light util-linux`);
  process.exit(1);
}

/** Folder of the compiled product; exits 1 when there is none. */
export function needBuild() {
  const dist = process.env.SLUICE_DIST ?? new URL("../../dist/", import.meta.url).href;
  if (existsSync(new URL("gateway/server.js", dist))) return;
  console.error("needs the compiled product: npm run build");
  process.exit(1);
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

/** Starts a program on a core and resolves when `port` answers. */
export async function start(core, port, command, ...args) {
  const child = spawn("taskset", ["-c", String(core), command, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  running.add(child);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  void exited.then(() => running.delete(child));
  for (let time = 0; time < 100; time++) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
    const isUp = await fetch(`http://127.0.0.1:${port}/up`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isUp) return { pid: child.pid, stop: () => stop(child, exited) };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${command} does not answer on port ${port}`);
}

async function stop(child, exited) {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 3_000);
  await exited;
  clearTimeout(timer);
}

/** CPU time of a process and all below it, user and system, in microseconds. */
export function cpuUs(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ns = tasks.reduce((sum, task) => sum + Number(readTask(pid, task, "schedstat").split(" ")[0]), 0);
  const children = readTask(pid, pid, "children").trim();
  const below = children === "" ? 0 : children.split(" ").reduce((sum, child) => sum + cpuUs(Number(child)), 0);
  return ns / 1e3 + below;
}

function readTask(pid, task, name) {
  return readFileSync(`/proc/${pid}/task/${task}/${name}`, "utf8");
}

const MICROSECONDS = { us: 1, ms: 1e3, s: 1e6 };

/** Runs wrk on a core. Latencies in microseconds; `errors` counts sockets, timeouts and answers that are not 2xx. */
export function wrk(core, port, connections, seconds, script) {
  const url = `http://127.0.0.1:${port}/v1/query`;
  const args = ["-c", core, "wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "--latency", "-s", script, url];
  return new Promise((resolve, reject) => {
    const child = spawn("taskset", args.map(String), { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    child.once("error", reject);
    child.once("close", () => resolve(readWrk(text)));
  });
}

function readWrk(text) {
  const quantile = (p) => {
    const [, value, unit] = new RegExp(`^\\s+${p}%\\s+([\\d.]+)(us|ms|s)`, "m").exec(text) ?? [];
    return Number(value) * MICROSECONDS[unit];
  };
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? [0, 0];
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(text);
  return {
    requests: Number(/(\d+) requests in/.exec(text)?.[1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    p50: quantile(50),
    p99: quantile(99),
    errors: sockets.slice(1).reduce((sum, count) => sum + Number(count), 0) + Number(bad?.[1] ?? 0),
  };
}
