import { startController } from "../../host/serve-controller.ts";
import type { ProbeRunner } from "../../ports/probe-runner.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { timedTalk } from "../format/timed-line.ts";
import { listenProblem } from "../system-advice.ts";
import { storeServer } from "../store-server.ts";
import type { Terminal } from "../terminal.ts";

export interface ServeOptions {
  readonly json: boolean;
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  /** True when `/metrics` may be read without a token. */
  readonly openMetrics: boolean;
  /** How long a gateway may be silent before it is taken for gone; left out for the default. */
  readonly forgetAfter?: number;
  /** True to begin again where the database of before is gone. */
  readonly new: boolean;
  /** Address of the server that keeps the store; left out for the database in this process. */
  readonly store?: string;
  /** True to take the store from a controller that may live. */
  readonly takeOver: boolean;
}

/**
 * `sluice serve`: the controller of one data directory until a signal ends it. A second one on it or on its
 * store is exit 13, and so is a takeover by another one.
 */
export async function serve(options: ServeOptions, probes: ProbeRunner, terminal: Terminal): Promise<ExitCode> {
  const { dataDir, host, port, openMetrics: hasOpenMetrics, new: isNew, forgetAfter: forgetAfterMs } = options;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Listened for before anybody is told that we run, so that a signal right after the news is not lost.
  const signalled = new Promise<ExitCode>((resolve) => {
    process.once("SIGTERM", () => resolve(EXIT.ok));
    process.once("SIGINT", () => resolve(EXIT.interrupted));
  });
  const log = timedTalk(terminal);
  const server = storeServer(options.store);
  if (!options.json) log(`opening ${dataDir}`);
  const started = await startController({
    dataDir,
    host,
    port,
    hasOpenMetrics,
    isNew,
    server,
    takesOver: options.takeOver,
    forgetAfterMs,
    probes,
    log,
    onFatal: (error) => fail(error),
  }).catch((error: unknown) => {
    throw listenProblem(error, `${host}:${port}`, "--host and --port") ?? error;
  });
  if (started.kind === "taken") {
    const owner = `process ${started.pid}${started.apiUrl === null ? "" : ` at ${started.apiUrl}`}`;
    throw new CliError(EXIT.conflict, `${dataDir} belongs to ${owner}; use that one, stop it, or name another --data`);
  }
  if (started.kind === "held") {
    const advice = "stop that one, or take the store from it with --take-over";
    throw new CliError(EXIT.conflict, `${started.place} belongs to a controller that lives: ${started.by}; ${advice}`);
  }
  const superseded = started.superseded.then(({ text }): never => {
    throw new CliError(EXIT.conflict, text);
  });
  if (options.json)
    terminal.data(JSON.stringify({ url: started.url, token_file: started.tokenFile, pid: process.pid }));
  else log(`controller on ${started.url}, data in ${dataDir}`);
  try {
    return await Promise.race([signalled, failed, superseded]);
  } finally {
    await started.stop().catch((error: unknown) => log(`stopping: ${String(error)}`));
    if (!options.json) log("stopped");
  }
}
