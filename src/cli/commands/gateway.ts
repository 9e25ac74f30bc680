import { knownAddress } from "../../host/controller-address.ts";
import { printableLine } from "../../core/printable.ts";
import { serveGateway } from "../../host/serve-gateway.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { readDocument } from "../read-document.ts";
import { listenProblem } from "../system-advice.ts";
import type { Terminal } from "../terminal.ts";

export interface GatewayCommandOptions {
  readonly json: boolean;
  /** Null: the one that owns the data directory, now or later. */
  readonly controller: string | null;
  readonly events: string | null;
  readonly dataDir: string;
}

function listenAddress(listen: string | undefined): { host: string; port: number } {
  if (listen === undefined) {
    throw new CliError(
      EXIT.badUsage,
      "spec.route.listen is missing; a gateway needs an address, e.g. listen: 127.0.0.1:4000",
    );
  }
  const colon = listen.lastIndexOf(":");
  return { host: listen.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(listen.slice(colon + 1)) };
}

/** `sluice gateway FILE`: one gateway of the document's service, following the controller until a signal ends it. */
export async function gateway(file: string, options: GatewayCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const { document } = await readDocument(file);
  const controllerUrl = options.controller ?? (await knownAddress(options.dataDir));
  const { service } = document.spec;
  const { route } = document.spec;
  const asked = `spec.route.listen of ${file}`;
  const running = await serveGateway({
    document,
    listen: listenAddress(route.listen),
    controllerUrl: options.controller,
    dataDir: options.dataDir,
    events: options.events,
    log: (line) => terminal.say(printableLine(line)),
  }).catch((error: unknown) => {
    throw listenProblem(error, String(route.listen), asked) ?? error;
  });
  const signalled = new Promise<boolean>((resolve) => {
    process.once("SIGTERM", () => resolve(false));
    process.once("SIGINT", () => resolve(true));
  });
  if (options.json) terminal.data(JSON.stringify({ url: running.url, service, controller: controllerUrl }));
  else {
    const following = controllerUrl === null ? "" : `, following ${controllerUrl}`;
    terminal.say(`gateway of ${service} on ${running.url}${following}`);
  }
  const isInterrupted = await signalled;
  terminal.say("draining: no new connections, running answers end");
  await running.drain();
  const counts = running.stats();
  if (options.json) terminal.data(JSON.stringify({ type: "stats", ...counts }));
  return isInterrupted ? EXIT.interrupted : EXIT.ok;
}
