import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../../free-port.ts";

/** A node of our own: its name, data, ports and port mapper are nobody else's. */
export interface RabbitServer {
  readonly amqpUrl: string;
  readonly managementUrl: string;
  stop(): Promise<void>;
}

/** Debian's own wrapper changes the user and reads /etc; this is the program behind it. */
function program(): string | null {
  const home = "/usr/lib/rabbitmq/lib";
  try {
    const newest = readdirSync(home).sort().at(-1);
    return newest === undefined ? null : join(home, newest, "sbin/rabbitmq-server");
  } catch {
    return null;
  }
}

export function hasRabbit(): boolean {
  if (program() !== null) return true;
  if (process.env["CI"]) throw new Error("rabbitmq-server is not installed; in CI it must be");
  console.warn("skipped: rabbitmq-server is not installed");
  return false;
}

async function untilAnswers(child: ChildProcess, url: string): Promise<void> {
  const headers = { authorization: `Basic ${Buffer.from("guest:guest").toString("base64")}` };
  for (let tries = 0; tries < 1_700; tries++) {
    if (child.exitCode !== null) throw new Error(`rabbitmq-server ended at its start with code ${child.exitCode}`);
    const answer = await fetch(`${url}/api/overview`, { headers }).catch(() => null);
    if (answer?.ok === true) return;
    await sleep(100);
  }
  throw new Error("rabbitmq-server did not answer within three minutes");
}

export async function startRabbit(): Promise<RabbitServer> {
  const folder = mkdtempSync(join(tmpdir(), "queue-rabbit-"));
  const [amqp, management, distribution, mapper] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const config = [
    `listeners.tcp.local = 127.0.0.1:${amqp}`,
    "management.tcp.ip = 127.0.0.1",
    `management.tcp.port = ${management}`,
    "loopback_users = none",
  ];
  writeFileSync(join(folder, "rabbitmq.conf"), `${config.join("\n")}\n`);
  writeFileSync(join(folder, "plugins"), "[rabbitmq_management].\n");
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    RABBITMQ_NODENAME: `sluice-${amqp}@localhost`,
    RABBITMQ_DIST_PORT: `${distribution}`,
    ERL_EPMD_PORT: `${mapper}`,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_MNESIA_BASE: join(folder, "data"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_LOGS: "-",
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
  };
  const child = spawn(program() as string, [], { env, cwd: folder, stdio: "ignore" });
  const end = async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.kill("SIGTERM")) await ended;
    execFileSync("epmd", ["-port", `${mapper}`, "-kill"], { stdio: "ignore" }); // The node's own, started by it.
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilAnswers(child, `http://127.0.0.1:${management}`);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    amqpUrl: `amqp://guest:guest@127.0.0.1:${amqp}`,
    managementUrl: `http://127.0.0.1:${management}`,
    stop: end,
  };
}
