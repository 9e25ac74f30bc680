import { knownAddress } from "../../host/controller-address.ts";
import { orderGateways, type OverrideWord } from "../../host/gateway-orders.ts";
import { serveGateway } from "../../host/serve-gateway.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { readDocument } from "../read-document.ts";
import { timedTalk } from "../format/timed-line.ts";
import { listenProblem } from "../system-advice.ts";
import type { Terminal } from "../terminal.ts";

export interface GatewayCommandOptions {
  readonly json: boolean;
  /** Null: the one that owns the data directory, now or later. */
  readonly controller: string | null;
  readonly events: string | null;
  /** Null: its events name none. */
  readonly region: string | null;
  /** Public keys of the controller, or files with them; none for those of the data directory. */
  readonly controllerKeys: readonly string[];
  readonly acceptsUnsigned: boolean;
  readonly dataDir: string;
}

/** Host and port of `spec.route.listen`. @throws CliError when the document has none */
export function listenAddress(listen: string | undefined): { host: string; port: number } {
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
  const log = timedTalk(terminal);
  const starting = serveGateway({
    document,
    listen: listenAddress(route.listen),
    controllerUrl: options.controller,
    dataDir: options.dataDir,
    keys: { named: options.controllerKeys, acceptsUnsigned: options.acceptsUnsigned },
    events: options.events,
    region: options.region,
    log,
  });
  // Listened for before it serves anybody: Node ends a process that gets one of these earlier, answers and all.
  const signalled = new Promise<boolean>((resolve) => {
    process.once("SIGTERM", () => resolve(false));
    process.once("SIGINT", () => resolve(true));
  });
  process.on("SIGUSR2", () => {
    log("SIGUSR2: a person set this gateway to stable");
    // That it could not start is told below.
    void starting.then(
      (gateway) => gateway.overrideWith("stable"),
      () => undefined,
    );
  });
  const running = await starting.catch((error: unknown) => {
    throw listenProblem(error, String(route.listen), asked) ?? error;
  });
  const { acceptsUnsigned } = options;
  if (options.json)
    terminal.data(
      JSON.stringify({ url: running.url, service, controller: controllerUrl, accepts_unsigned: acceptsUnsigned }),
    );
  else {
    const following = controllerUrl === null ? "" : `, following ${controllerUrl}`;
    log(`gateway of ${service} on ${running.url}${following}`);
  }
  const isInterrupted = await signalled;
  log("draining: no new connections, running answers end");
  await running.drain();
  const counts = running.stats();
  if (options.json) terminal.data(JSON.stringify({ type: "stats", ...counts }));
  return isInterrupted ? EXIT.interrupted : EXIT.ok;
}

/**
 * `sluice gateway stable` and `sluice gateway follow`: a person's word to every gateway of a service that runs out of
 * this data directory, without a controller.
 */
export async function gatewayOrder(
  to: OverrideWord,
  { json, service, dataDir }: { json: boolean; service: string; dataDir: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const obeyed = await orderGateways(dataDir, service, to).catch((error: NodeJS.ErrnoException) => {
    const advice = "name the data directory of the gateway with --data, as the user who started it";
    throw new CliError(
      EXIT.toolError,
      `no order can be left in ${dataDir} (${error.code ?? error.message}); ${advice}`,
    );
  });
  if (json) {
    const gateways = obeyed.map(({ url, pid, isHeard }) => ({ url, pid, heard: isHeard }));
    terminal.data(JSON.stringify({ service, to, gateways }));
  }
  if (obeyed.length === 0) {
    const advice = "name its data directory with --data, or send SIGUSR2 to its process";
    throw new CliError(EXIT.toolError, `no gateway of service ${service} runs out of ${dataDir}; ${advice}`);
  }
  const said =
    to === "stable" ? "serves stable alone until it is told to follow, or a new rollout begins" : "follows again";
  for (const { url, isHeard } of obeyed) if (isHeard) terminal.say(`gateway ${url} of ${service} ${said}`);
  const deaf = obeyed.filter(({ isHeard }) => !isHeard);
  if (deaf.length === 0) return EXIT.ok;
  const who = deaf.map(({ url, pid }) => `${url} (process ${pid})`).join(", ");
  throw new CliError(EXIT.toolError, `${who} did not take the order, which was taken back; send SIGUSR2 or end it`);
}
