import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import pg from "pg";
import { freePort } from "../../free-port.ts";

/** One server of our own, on a free loopback port, in a folder of its own. */
export interface TestServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface PostgresServer extends TestServer {
  /** Address for a program of ours; nobody needs a password. */
  readonly url: string;
  connect(max?: number): pg.Pool;
  /** Ends the server, by default at once as a power cut would end its connections; what it holds stays. */
  halt(signal?: "SIGQUIT" | "SIGINT"): Promise<void>;
  /** Starts it again after `halt`. */
  resume(): Promise<void>;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(name: string): string | null {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

/** Folder of the newest installed PostgreSQL that has both programs, or null. Debian keeps them off the PATH. */
function postgresFolder(): string | null {
  const home = "/usr/lib/postgresql";
  let versions: string[] = [];
  try {
    versions = readdirSync(home).sort((a, b) => Number(b) - Number(a));
  } catch {
    // Not a Debian layout; the PATH decides.
  }
  const folders = versions.map((version) => join(home, version, "bin"));
  const onPathFolder = onPath("postgres")?.replace(/\/postgres$/, "");
  if (onPathFolder !== undefined) folders.unshift(onPathFolder);
  return (
    folders.find((folder) => isExecutable(join(folder, "initdb")) && isExecutable(join(folder, "postgres"))) ?? null
  );
}

/** True when the server is there. Missing: false with a printed reason, or a failure where CI is set. */
function orSkip(found: boolean, what: string): boolean {
  if (found) return true;
  if (process.env["CI"]) throw new Error(`${what} is not installed; in CI it must be`);
  console.warn(`skipped: ${what} is not installed`);
  return false;
}

export const hasPostgres = () => orSkip(postgresFolder() !== null, "PostgreSQL (initdb, postgres)");
export const hasNats = () => orSkip(onPath("nats-server") !== null, "nats-server");
export const hasPython = () => orSkip(onPath("python3") !== null, "python3");
export const hasHaproxy = () => orSkip(onPath("haproxy") !== null, "haproxy");
export const hasRedis = () => orSkip(onPath("redis-server") !== null, "redis-server");

/** PostgreSQL refuses to run as root: then it runs as the `postgres` account its package made. */
function asUser(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await ended;
}

async function stopProcess(child: ChildProcess, signal: NodeJS.Signals, folder: string): Promise<void> {
  await endProcess(child, signal);
  rmSync(folder, { recursive: true, force: true });
}

async function untilReady(what: string, child: ChildProcess, isReady: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 1_200; tries++) {
    if (child.exitCode !== null) throw new Error(`${what} ended at its start with exit code ${child.exitCode}`);
    const ready = await isReady().then(
      () => true,
      () => false,
    );
    if (ready) return;
    await sleep(50);
  }
  throw new Error(`${what} did not answer within a minute`);
}

/**
 * Starts PostgreSQL with its durable defaults (fsync and synchronous_commit on); `settings` are added, `name=value`.
 */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const [bin, folder, user, port] = [
    postgresFolder() as string,
    mkdtempSync(join(tmpdir(), "fence-pg-")),
    asUser(),
    await freePort(),
  ];
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const quiet = { ...user, stdio: "ignore", cwd: folder } as const;
  const data = join(folder, "data");
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "fence", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"],
    quiet,
  );
  const wanted = [
    `port=${port}`,
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "shared_buffers=64MB",
    ...settings,
  ];
  const config = { host: "127.0.0.1", port, user: "fence", database: "postgres" };
  const start = async (): Promise<ChildProcess> => {
    const begun = spawn(join(bin, "postgres"), ["-D", data, ...wanted.flatMap((setting) => ["-c", setting])], quiet);
    await untilReady("postgres", begun, async () => {
      const client = new pg.Client(config);
      await client.connect();
      await client.end();
    });
    return begun;
  };
  let child = await start();
  const connect = (max = 8) => new pg.Pool({ ...config, max }).on("error", () => {}); // An idle client ended with the server.
  return {
    port,
    url: `postgres://fence@127.0.0.1:${port}/postgres`,
    connect,
    halt: (signal = "SIGQUIT") => endProcess(child, signal),
    async resume() {
      child = await start();
    },
    stop: () => stopProcess(child, "SIGINT", folder),
  };
}

/** Starts Redis; `settings` are command-line options, by default durable: append-only, fsync before every answer. */
export async function startRedis(
  settings: readonly string[] = ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"],
): Promise<TestServer> {
  const [folder, port] = [mkdtempSync(join(tmpdir(), "fence-redis-")), await freePort()];
  const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...settings];
  const child = spawn(onPath("redis-server") as string, options, { stdio: "ignore" });
  await untilReady("redis-server", child, async () => {
    const client = new Redis(port, "127.0.0.1", { lazyConnect: true, retryStrategy: () => null });
    client.on("error", () => {}); // Not listening yet.
    try {
      await client.connect();
    } finally {
      client.disconnect();
    }
  });
  return { port, stop: () => stopProcess(child, "SIGTERM", folder) };
}

/** Starts a NATS server with JetStream. */
export async function startNats(): Promise<TestServer> {
  const [folder, port] = [mkdtempSync(join(tmpdir(), "queue-nats-")), await freePort()];
  const options = ["-js", "-sd", folder, "-a", "127.0.0.1", "-p", `${port}`];
  const child = spawn(onPath("nats-server") as string, options, { stdio: "ignore" });
  await untilReady("nats-server", child, async () => {
    const { connect } = await import("@nats-io/transport-node");
    const connection = await connect({ servers: `127.0.0.1:${port}`, reconnect: false });
    await connection.close();
  });
  return { port, stop: () => stopProcess(child, "SIGTERM", folder) };
}
