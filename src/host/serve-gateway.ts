import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { startGateway } from "../gateway/server.ts";
import type { RolloutDocument } from "../spec/rollout-schema.ts";
import { systemRandom } from "../fence/system.ts";
import { startingDocument } from "./starting-document.ts";
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

/** A name for gateways of this machine in printable ASCII; each adds what is its own. */
function gatewayId(): string {
  return hostname()
    .replace(/[^\x21-\x7e]/g, "-")
    .slice(0, 60);
}

/** Starts one gateway of a document's service, with its state and token in the data directory. */
export async function serveGateway(options: ServeGatewayOptions): ReturnType<typeof startGateway> {
  const { document, listen, controllerUrl, dataDir, events, log } = options;
  const { service } = document.spec;
  // The controller makes the token when it starts; a gateway that starts first makes it for both.
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const { token } = await openTokenFile(dataDir);
  const clock = systemClock();
  const stateFile = join(dataDir, `gateway-${service}.json`);
  const places = { controllerUrl, token, stateFile };
  return startGateway({
    listen,
    service,
    document: await startingDocument(document, places, clock.wallMs()),
    clock,
    random: systemRandom,
    gatewayId: gatewayId(),
    controllerUrl,
    token,
    stateFile,
    // One for each address: two gateways of one service may share a directory, and are two.
    planeFile: join(dataDir, `gateway-${service}-${listen.port}.plane.json`),
    log,
    ...(events === null ? {} : { events }),
  });
}
