import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The built command line; `npm test` builds it before it runs any test. */
export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningSluice {
  readonly child: ChildProcess;
  /** First line of stdout, parsed. */
  readonly ready: Promise<Record<string, unknown>>;
  readonly finished: Promise<Finished>;
  /** Everything it said on stderr so far. */
  said(): string;
  stop(signal?: NodeJS.Signals): Promise<Finished>;
}

/** Starts `sluice ...argv`; with `fileBlocksMax` under that `ulimit -f` (in the shell's blocks, 512 or 1024 bytes). */
export function startSluice(
  argv: readonly string[],
  options: { fileBlocksMax?: number; cwd?: string; env?: Readonly<Record<string, string>> } = {},
): RunningSluice {
  const { fileBlocksMax, cwd } = options;
  const command = [process.execPath, MAIN, ...argv];
  const limited = ["bash", "-c", `ulimit -f ${fileBlocksMax}; exec "$@"`, "bash", ...command];
  const [file = "", ...args] = fileBlocksMax === undefined ? command : limited;
  const env = { ...process.env, NO_COLOR: "1", ...options.env };
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], env, ...(cwd === undefined ? {} : { cwd }) });
  const heard = { stdout: "", stderr: "" };
  let announce: (line: string) => void = () => {};
  const firstLine = new Promise<string>((resolve) => {
    announce = resolve;
  });
  child.stdout.on("data", (chunk) => {
    heard.stdout += String(chunk);
    const end = heard.stdout.indexOf("\n");
    if (end >= 0) announce(heard.stdout.slice(0, end));
  });
  child.stderr.on("data", (chunk) => {
    heard.stderr += String(chunk);
  });
  const finished = once(child, "close").then(([code]) => ({ code: code as number | null, ...heard }));
  const died = finished.then(({ code, stderr }) => {
    throw new Error(`sluice ${argv.join(" ")} ended (exit ${code}) before it was ready: ${stderr}`);
  });
  died.catch(() => {});
  const ready = Promise.race([firstLine, died]).then((line) => JSON.parse(line) as Record<string, unknown>);
  ready.catch(() => {});
  return {
    child,
    ready,
    finished,
    said: () => heard.stderr,
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return finished;
    },
  };
}

export function runSluice(argv: readonly string[], options: { cwd?: string } = {}): Promise<Finished> {
  return startSluice(argv, options).finished;
}

/** A folder for one test, removed afterwards by the function it comes with. */
export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "sluice-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
