import { serveHaproxy } from "../../host/serve-haproxy.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { timedTalk } from "../format/timed-line.ts";
import { readDocument } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";
import { type GatewayCommandOptions, listenAddress } from "./gateway.ts";

export interface HaproxyCommandOptions extends Omit<GatewayCommandOptions, "events"> {
  readonly program: string;
  readonly threads: number | null;
}

/**
 * `sluice plane haproxy FILE`: the agent beside an HAProxy that carries the service's requests, until a signal ends the
 * agent. The proxy serves on then, everybody on stable.
 */
export async function haproxy(file: string, options: HaproxyCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const { document } = await readDocument(file);
  const { service, route } = document.spec;
  const log = timedTalk(terminal);
  const starting = serveHaproxy({
    document,
    listen: listenAddress(route.listen),
    controllerUrl: options.controller,
    dataDir: options.dataDir,
    keys: { named: options.controllerKeys, acceptsUnsigned: options.acceptsUnsigned },
    region: options.region,
    program: options.program,
    threads: options.threads,
    log,
  });
  const signalled = new Promise<ExitCode>((resolve) => {
    process.once("SIGTERM", () => resolve(EXIT.ok));
    process.once("SIGINT", () => resolve(EXIT.interrupted));
  });
  const running = await starting.catch((error: unknown) => {
    throw new CliError(EXIT.toolError, (error as Error).message);
  });
  const pid = await running.proxyPid();
  if (options.json) terminal.data(JSON.stringify({ url: running.url, service, proxy_pid: pid }));
  else log(`HAProxy of ${service} on ${running.url}, process ${pid ?? "unknown"}`);
  const code = await signalled;
  await running.close();
  if (options.json) terminal.data(JSON.stringify({ type: "stats", ...running.stats() }));
  log(`the agent ends; HAProxy serves on, everybody on stable: end it with kill -USR1 ${pid ?? "PID"}`);
  return code;
}
