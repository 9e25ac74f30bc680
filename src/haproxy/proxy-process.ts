import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { Clock } from "../ports/clock.ts";
import { ask } from "./runtime-socket.ts";

const run = promisify(execFile);
const CHECK_MS = 20_000;
const SAID_MAX = 2_000;

/** Where one proxy's process is reached and what it is made of. */
export interface ProxyPlaces {
  /** The program, e.g. `haproxy` or its path. */
  readonly program: string;
  readonly configFile: string;
  readonly masterSocket: string;
  readonly pidFile: string;
}

/** What the program says against a configuration, as a sentence; null when it would take it. */
export async function problemIn({ program }: ProxyPlaces, configFile: string): Promise<string | null> {
  try {
    await run(program, ["-c", "-q", "-f", configFile], { timeout: CHECK_MS });
    return null;
  } catch (error) {
    const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") return `${program} was not found: install HAProxy 2.6 or later, or name it with --haproxy`;
    return `HAProxy does not take the configuration: ${stderr.trim().slice(-SAID_MAX)}`;
  }
}

/** Starts it apart from this process, so that it serves on when this one ends. @throws Error when it does not start */
export async function startProxy({ program, configFile, masterSocket, pidFile }: ProxyPlaces): Promise<void> {
  const argv = ["-W", "-D", "-S", masterSocket, "-p", pidFile, "-f", configFile];
  const child = spawn(program, argv, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (bytes) => {
    said = `${said}${String(bytes)}`.slice(-SAID_MAX);
  });
  const [code] = (await once(child, "exit")) as [number | null];
  child.stderr.destroy();
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said.trim()}`);
}

/** Asks the running one to take its configuration up anew; what is answered now ends where it began. */
export async function reloadProxy({ masterSocket }: ProxyPlaces, clock: Clock): Promise<void> {
  await ask(masterSocket, "reload", clock);
}

/** Process of the master; null when nobody knows. */
export async function proxyPid({ pidFile }: ProxyPlaces): Promise<number | null> {
  const text = await readFile(pidFile, "utf8").catch(() => "");
  const pid = Number(text.trim().split("\n")[0]);
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}
