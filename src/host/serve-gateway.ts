import { hostname } from "node:os";
import { join } from "node:path";
import { type Gateway, startGateway } from "../gateway/server.ts";
import type { RolloutDocument } from "../spec/rollout-schema.ts";
import { systemRandom } from "../fence/system.ts";
import { gatewayController } from "./controller-address.ts";
import { takeOrders } from "./gateway-orders.ts";
import { makeFolder } from "./make-folder.ts";
import { startingDocument } from "./starting-document.ts";
import { systemClock } from "./system-clock.ts";

export interface ServeGatewayOptions {
  readonly document: RolloutDocument;
  readonly listen: { readonly host: string; readonly port: number };
  /** Null: whoever owns the data directory, now or later. */
  readonly controllerUrl: string | null;
  readonly dataDir: string;
  /** File for wide events as NDJSON; null for none. */
  readonly events: string | null;
  /** Where it stands, for its events; null where nobody says. */
  readonly region?: string | null;
  readonly log: (line: string) => void;
}

/** A name for gateways of this machine in printable ASCII; each adds what is its own. */
function gatewayId(): string {
  return hostname()
    .replace(/[^\x21-\x7e]/g, "-")
    .slice(0, 60);
}

/** How often a gateway looks whether the controller of its data directory has come, or listens elsewhere. */
const LOOK_MS = 1_000;

/**
 * Starts one gateway of a document's service, with its state in the data directory. It speaks only to the controller
 * that the flag or its own data directory names, with the gateways' own credential, and serves on its own until there
 * is one: it never tries an address that nobody named.
 */
export async function serveGateway(
  options: ServeGatewayOptions,
): Promise<Pick<Gateway, "url" | "stats" | "overrideWith" | "drain">> {
  const { document, listen, controllerUrl: named, dataDir, events, log } = options;
  const { service, route } = document.spec;
  await makeFolder(dataDir);
  const clock = systemClock();
  const stateFile = join(dataDir, `gateway-${service}.json`);
  const controller = await gatewayController(named, dataDir);
  const gateway = await startGateway({
    listen,
    service,
    document: await startingDocument(document, { controller, stateFile }, clock.wallMs()),
    clock,
    random: systemRandom,
    gatewayId: gatewayId(),
    ...(controller === null ? {} : { controllerUrl: controller.url, token: controller.token }),
    stateFile,
    // One for each address: two gateways of one service may share a directory, and are two.
    planeFile: listen.port === 0 ? undefined : join(dataDir, `gateway-${service}-${listen.port}.plane.json`),
    log,
    trustedProxies: route.trustedProxies,
    ...(route.upstreamIdle === undefined ? {} : { timeouts: { upstreamIdleMs: route.upstreamIdle } }),
    ...(events === null ? {} : { events }),
    region: options.region ?? undefined,
  });
  if (controller === null)
    log(`no controller owns ${dataDir} yet; serving by the last document known, waiting for one`);
  if (named === null || controller === null) void followOwner(gateway, options, controller?.url ?? null);
  const takeNoMore = await takeOrders(gateway, { dataDir, service, log });
  return {
    url: gateway.url,
    stats: () => gateway.stats(),
    overrideWith: (to) => gateway.overrideWith(to),
    drain: () => takeNoMore().then(() => gateway.drain()),
  };
}

/** Follows whoever owns the data directory, wherever he listens after a restart. */
async function followOwner(
  gateway: Gateway,
  { controllerUrl, dataDir, log }: ServeGatewayOptions,
  followed: string | null,
): Promise<void> {
  let url = followed;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref());
    const found = await gatewayController(controllerUrl, dataDir).catch(() => null);
    if (found === null || found.url === url) continue;
    url = found.url;
    log(`following ${url}`);
    gateway.follow(url, found.token);
  }
}
