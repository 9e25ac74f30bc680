import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ENDS_WITH_PARENT } from "../../host/end-with-parent.ts";
import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";

const MAIN = fileURLToPath(new URL("../main.js", import.meta.url));
const STDERR_LINES_KEPT = 20;
const STOP_GRACE_MS = 5_000;

/** A `sluice` command running as its own process: one JSON object a line on its stdout. */
export interface Child {
  readonly name: string;
  /** The first line it prints, parsed: its ready line. Rejects when it ends before. */
  readonly ready: Promise<Record<string, unknown>>;
  /** Resolves with the exit code when it has ended. */
  readonly ended: Promise<number | null>;
  /** Asks it to end (SIGTERM), insists after 5 s, resolves when it has ended. Idempotent. */
  stop(): Promise<void>;
  /** Sends a signal to it alone. */
  signal(name: NodeJS.Signals): void;
}

export interface ChildOptions {
  readonly name: string;
  readonly argv: readonly string[];
  /** Beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Every line after the first. */
  readonly onLine?: (line: Record<string, unknown>) => void;
}

function parseLine(line: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : null;
  } catch {
    return null; // A child's stdout is data; a line that is not JSON is talk that went the wrong way.
  }
}

/** Starts `node main.js ...argv`. The process ends with ours: its stdin closes when we are gone. */
export function startChild({ name, argv, env, onLine }: ChildOptions): Child {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...argv], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...env, [ENDS_WITH_PARENT]: "1" },
  });
  const lastWords: string[] = [];
  child.stdin?.on("error", () => {}); // It may end before we do; that is told by `ended`.
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (code) => resolve(code));
    child.once("error", () => resolve(null));
  });
  createInterface({ input: child.stderr! }).on("line", (line) => {
    lastWords.push(line);
    if (lastWords.length > STDERR_LINES_KEPT) lastWords.shift();
  });
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    let isFirst = true;
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const parsed = parseLine(line);
      if (parsed === null) return;
      if (isFirst) resolve(parsed);
      else onLine?.(parsed);
      isFirst = false;
    });
    void ended.then((code) => {
      const said = lastWords.join("\n");
      reject(new CliError(EXIT.toolError, `${name} ended before it was ready (exit ${code}):\n${said}`));
    });
  });
  ready.catch(() => {}); // Whoever awaits it hears of it; an unawaited one must not end this process.
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const insist = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
    await ended;
    clearTimeout(insist);
  };
  return { name, ready, ended, stop, signal: (name) => void child.kill(name) };
}
