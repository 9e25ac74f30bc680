import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { RoutingDocument } from "../../core/routing/document.ts";
import { bp } from "../../core/unit.ts";
import { startGateway } from "../../gateway/server.ts";
import { systemClock } from "../../node/system-clock.ts";
import type { RolloutDocument } from "../../spec/rollout-schema.ts";
import { DEFAULTS } from "../../spec/plan.ts";
import { CliError } from "../cli-error.ts";
import { findController } from "../../node/data-directory-lock.ts";
import { openTokenFile } from "../../node/token-file.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { readDocument } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";

export interface GatewayCommandOptions {
  readonly json: boolean;
  /** Null: the one that owns the data directory, or the default address when none runs yet. */
  readonly controller: string | null;
  readonly events: string | null;
  readonly dataDir: string;
}

const DEFAULT_CONTROLLER = "http://127.0.0.1:4400";

/** What a gateway serves before any controller has spoken: everything to stable. Any published document is newer. */
function firstDocument({ spec }: RolloutDocument, issuedAt: RoutingDocument["issuedAt"]): RoutingDocument {
  const stable = new URL(spec.stable.url);
  return {
    version: 1,
    service: spec.service,
    epoch: 0,
    seq: 0,
    rolloutId: null,
    arms: {
      stable: {
        releaseId: spec.stable.release ?? stable.host,
        endpoints: [stable.origin],
        cachePrefix: spec.stable.cachePrefix ?? "stable:",
      },
      candidate: null,
    },
    candidateBp: bp(0),
    sticky: { hash: "v1", seed: 0, ttlMs: spec.route.stickyFor ?? DEFAULTS.stickyForMs },
    identity: {
      trustedHeaders: spec.route.trustedHeaders.map((header) => header.toLowerCase()),
      stickyBy: spec.route.stickyBy.map(({ header }) => header.toLowerCase()),
    },
    allow: spec.route.allow ?? [],
    closed: [],
    drainMs: spec.route.drain ?? DEFAULTS.drainMs,
    issuedAt,
  };
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
  const controllerUrl = options.controller ?? (await findController(options.dataDir))?.apiUrl ?? DEFAULT_CONTROLLER;
  // The controller makes the token when it starts; a gateway that starts first makes it for both.
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const { token } = await openTokenFile(options.dataDir);
  const clock = systemClock();
  const { service } = document.spec;
  const running = await startGateway({
    listen: listenAddress(document.spec.route.listen),
    service,
    document: firstDocument(document, clock.wallMs()),
    clock,
    gatewayId: `${hostname()
      .replace(/[^\x21-\x7e]/g, "-")
      .slice(0, 60)}.${process.pid}`,
    controllerUrl,
    token,
    stateFile: join(options.dataDir, `gateway-${service}.json`),
    log: (line) => terminal.say(line),
    ...(options.events === null ? {} : { events: options.events }),
  });
  const signalled = new Promise<boolean>((resolve) => {
    process.once("SIGTERM", () => resolve(false));
    process.once("SIGINT", () => resolve(true));
  });
  if (options.json) terminal.data(JSON.stringify({ url: running.url, service, controller: controllerUrl }));
  else terminal.say(`gateway of ${service} on ${running.url}, following ${controllerUrl}`);
  const isInterrupted = await signalled;
  terminal.say("draining: no new connections, running answers end");
  await running.drain();
  const counts = running.stats();
  if (options.json) terminal.data(JSON.stringify({ type: "stats", ...counts }));
  return isInterrupted ? EXIT.interrupted : EXIT.ok;
}
