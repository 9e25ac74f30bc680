import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { RoutingDocument } from "../core/routing/document.ts";
import { bp } from "../core/unit.ts";
import { startGateway } from "../gateway/server.ts";
import { DEFAULTS } from "../spec/plan.ts";
import type { RolloutDocument } from "../spec/rollout-schema.ts";
import { systemRandom } from "../fence/system.ts";
import { systemClock } from "./system-clock.ts";
import { openTokenFile } from "./token-file.ts";

export interface ServeGatewayOptions {
  readonly document: RolloutDocument;
  readonly listen: { readonly host: string; readonly port: number };
  readonly controllerUrl: string;
  readonly dataDir: string;
  /** File for wide events as NDJSON; null for none. */
  readonly events: string | null;
  readonly log: (line: string) => void;
}

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

/** A name for this gateway that no other process of this machine has, in printable ASCII. */
function gatewayId(): string {
  const machine = hostname().replace(/[^\x21-\x7e]/g, "-");
  return `${machine.slice(0, 60)}.${process.pid}`;
}

/** Starts one gateway of a document's service, with its state and token in the data directory. */
export async function serveGateway(options: ServeGatewayOptions): ReturnType<typeof startGateway> {
  const { document, listen, controllerUrl, dataDir, events, log } = options;
  const { service } = document.spec;
  // The controller makes the token when it starts; a gateway that starts first makes it for both.
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const { token } = await openTokenFile(dataDir);
  const clock = systemClock();
  return startGateway({
    listen,
    service,
    document: firstDocument(document, clock.wallMs()),
    clock,
    random: systemRandom,
    gatewayId: gatewayId(),
    controllerUrl,
    token,
    stateFile: join(dataDir, `gateway-${service}.json`),
    log,
    ...(events === null ? {} : { events }),
  });
}
