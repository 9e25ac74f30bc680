import { hostname } from "node:os";
import { join } from "node:path";
import { type Gateway, startGateway } from "../gateway/server.ts";
import type { FollowerOptions } from "../link/follower.ts";
import type { RolloutDocument } from "../spec/rollout-schema.ts";
import { systemRandom } from "../fence/system.ts";
import { gatewayController, type KnownController } from "./controller-address.ts";
import { type GatewayKeys, type KeyChoice, openGatewayKeys } from "./gateway-keys.ts";
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
  readonly keys: KeyChoice;
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
  const { document, listen, dataDir, events, log } = options;
  const { service, route } = document.spec;
  const { follower, keys, contact } = await followerOf(options);
  const gateway = await startGateway({
    ...follower,
    listen,
    trustedProxies: route.trustedProxies,
    ...(route.upstreamIdle === undefined ? {} : { timeouts: { upstreamIdleMs: route.upstreamIdle } }),
    ...(events === null ? {} : { events }),
    region: options.region ?? undefined,
  });
  void followOwner(gateway, options, keys, contact);
  const takeNoMore = await takeOrders(gateway, { dataDir, service, log });
  return {
    url: gateway.url,
    stats: () => gateway.stats(),
    overrideWith: (to) => gateway.overrideWith(to),
    drain: () => takeNoMore().then(() => gateway.drain()),
  };
}

/** What a data plane of a document is told of itself and its controller, and how it hears of another owner. */
export async function followerOf(options: Omit<ServeGatewayOptions, "events">) {
  const { document, listen, controllerUrl: named, dataDir, log } = options;
  const { service } = document.spec;
  await makeFolder(dataDir);
  const clock = systemClock();
  const stateFile = join(dataDir, `gateway-${service}.json`);
  const keys = await openGatewayKeys(options.keys, dataDir, log);
  const contact = await gatewayController(named, dataDir);
  const controller = typeof contact === "string" ? null : contact;
  const follower = {
    service,
    document: await startingDocument(document, { controller, stateFile, keys: keys.ring, log }, clock.wallMs()),
    clock,
    random: systemRandom,
    gatewayId: gatewayId(),
    ...(controller === null ? {} : { controllerUrl: controller.url, token: controller.token }),
    stateFile,
    keys: keys.ring,
    // One for each address: two gateways of one service may share a directory, and are two.
    planeFile: listen.port === 0 ? undefined : join(dataDir, `gateway-${service}-${listen.port}.plane.json`),
    log,
  } satisfies FollowerOptions;
  return { follower, keys, contact };
}

/**
 * Follows whoever owns the data directory, wherever he listens after a restart and whatever he signs with, and says
 * what is missing for it.
 */
export async function followOwner(
  gateway: Pick<Gateway, "lookAgain" | "follow">,
  { controllerUrl, dataDir, log }: Pick<ServeGatewayOptions, "controllerUrl" | "dataDir" | "log">,
  keys: GatewayKeys,
  first: KnownController | string,
): Promise<void> {
  let [found, told, followed]: [KnownController | string, string | null, KnownController | null] = [first, null, null];
  if (typeof first !== "string") followed = first;
  for (;;) {
    // An owner who is away for a moment is no news: his gateways wait for him anyway.
    const missing = typeof found !== "string" ? keyless(keys, found) : followed === null ? found : null;
    if (missing !== null && missing !== told) log(`${missing}; serving by the last document known, waiting for one`);
    told = missing;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref());
    if (await keys.refresh()) await gateway.lookAgain();
    found = await gatewayController(controllerUrl, dataDir).catch(() => found);
    if (typeof found === "string" || (found.url === followed?.url && found.token === followed.token)) continue;
    log(`following ${found.url}`);
    followed = found;
    gateway.follow(found.url, found.token);
  }
}

/** Why documents of a controller will be refused; null when they need not be. */
function keyless({ ring }: GatewayKeys, { url }: KnownController): string | null {
  if (ring.acceptsUnsigned || ring.known.trusted.length > 0) return null;
  const advice = "name it with --controller-key, as `sluice key show` prints it there";
  return `no key of the controller at ${url} is known, so its documents are refused; ${advice}`;
}
