import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../../free-port.ts";

const SCRAPE_MS = 1_000;
const START_TRIES_MAX = 1_200;

/** A Prometheus of our own that scrapes one target every second. */
export interface PrometheusServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A scrape target that shows the lines it is given. */
export interface Target {
  readonly address: string;
  /** Lines of the text exposition format, by a name of our own. */
  readonly lines: Map<string, string>;
  stop(): Promise<void>;
}

function programOnPath(name: string): string | null {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/** True when the server is installed. Missing: false with a printed reason, or a failure where CI is set. */
export function hasPrometheus(): boolean {
  if (programOnPath("prometheus") !== null) return true;
  if (process.env["CI"]) throw new Error("prometheus is not installed; in CI it must be");
  console.warn("skipped: prometheus is not installed");
  return false;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
}

/** Starts a target; with the port and the lines of one that was stopped, that one comes back. */
export async function startTarget(port: number | null = null, lines = new Map<string, string>()): Promise<Target> {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4" });
    response.end(`${[...lines.values()].join("\n")}\n`);
  });
  await listen(server, port ?? (await freePort()));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    lines,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

/** Starts Prometheus on a free loopback port with a database of its own. Its first scrape comes some 5 s later. */
export async function startPrometheus(targetAddress: string): Promise<PrometheusServer> {
  const [folder, port] = [mkdtempSync(join(tmpdir(), "metrics-prometheus-")), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const job = { job_name: "rag", static_configs: [{ targets: [targetAddress] }] };
  const config = { global: { scrape_interval: `${SCRAPE_MS}ms` }, scrape_configs: [job] };
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config)); // JSON is YAML.
  const options = {
    "config.file": join(folder, "prometheus.yml"),
    "storage.tsdb.path": join(folder, "data"),
    "web.listen-address": `127.0.0.1:${port}`,
    "log.level": "error",
  };
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(programOnPath("prometheus") as string, flags, { stdio: "ignore" });
  const stop = async () => {
    await stopProcess(child);
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < START_TRIES_MAX; tries++) {
    if (child.exitCode !== null) throw new Error(`prometheus ended at its start with exit code ${child.exitCode}`);
    const isReady = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return { url, stop };
    await sleep(50);
  }
  await stop();
  throw new Error("prometheus did not answer within a minute");
}
