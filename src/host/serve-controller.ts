import type { Clock } from "../ports/clock.ts";
import { setMaxListeners } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { controllerApp } from "../controller/api/app.ts";
import { Controller } from "../controller/controller.ts";
import { TokenBook } from "../controller/token-book.ts";
import { GatewayRegistry } from "../controller/gateway-registry.ts";
import { httpAccess } from "../drivers/access/http/index.ts";
import { httpHealth } from "../drivers/health/http/index.ts";
import { systemRandom } from "../fence/system.ts";
import { gatewayTraffic } from "../drivers/traffic/gateway/index.ts";
import type { ProbeRunner } from "../ports/probe-runner.ts";
import { backupBody } from "./backup/back-up.ts";
import { KNOWN_DRIVERS } from "./driver-registry.ts";
import { httpFaultAgent } from "../drivers/fault/http/index.ts";
import { askRebuild } from "./ask-rebuild.ts";
import { regionProbe } from "./region-probe.ts";
import { resourcesOf } from "./resource-registry.ts";
import { metricSources } from "./metric-sources.ts";
import { lockDataDirectory } from "./data-directory-lock.ts";
import type { Superseded } from "../controller/ownership.ts";
import { type OpenedStore, openStore, type StoreServer } from "./open-store.ts";
import { keepIdentity } from "./store-check.ts";
import { systemClock } from "./system-clock.ts";
import { kidOf } from "../core/routing/signature.ts";
import { openSigningKey, SIGNING_KEY_FILE } from "./signing-key.ts";
import { openTokenFile, TOKEN_FILES } from "./token-file.ts";
import { watchEventLoop } from "./watchdog.ts";

export interface ServeControllerOptions {
  readonly dataDir: string;
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly probes: ProbeRunner;
  readonly log: (line: string) => void;
  /** The store failed: the process must end; it continues after a restart. */
  readonly onFatal: (error: unknown) => void;
  /** Longest time the process may hang before it is ended; by default 20 s, several times the slowest start. */
  readonly stallMs?: number;
  /** How long a data plane may be silent before it is taken for gone; by default an hour. */
  readonly forgetAfterMs?: number | undefined;
  /** Where the store is kept; left out or null for the database in this process. */
  readonly server?: StoreServer | null;
  /** True to take the store from a controller that may live. */
  readonly takesOver?: boolean;
  /** True to begin again where the database of before is gone, or to take one of another store. */
  readonly isNew?: boolean;
  /** True when `/metrics` may be read without a token; by default it needs one of scope view. */
  readonly hasOpenMetrics?: boolean;
}

const STALL_MS = 20_000;
/** For a whole request to arrive. */
const REQUEST_TIMEOUT_MS = 30_000;

interface RunningController {
  readonly kind: "started";
  readonly url: string;
  readonly tokenFile: string;
  /** Resolves when another controller has taken the store: this one decides nothing any more and is to be stopped. */
  readonly superseded: Promise<Superseded>;
  /** Ends streams, finishes the running commit, closes the database, gives the directory up. Idempotent. */
  stop(): Promise<void>;
}

interface TakenDirectory {
  readonly kind: "taken";
  readonly pid: number;
  readonly apiUrl: string | null;
}

/** The store belongs to a controller that lives. */
interface TakenStore {
  readonly kind: "held";
  readonly place: string;
  readonly by: string;
}

/** Names under which a loopback listener is reached; for another host only that one. */
function hostsOf(host: string, port: number): readonly string[] {
  const names = host === "127.0.0.1" || host === "::1" ? ["127.0.0.1", "localhost", "[::1]"] : [host];
  return names.map((name) => `${name}:${port}`);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

type ApiOptions = Omit<Parameters<typeof controllerApp>[1], "allowedHosts" | "stopped">;

/** The HTTP API of a controller on a port; `close` ends its streams and connections. */
async function openApi(controller: Controller, options: ApiOptions, host: string, port: number) {
  const stopped = new AbortController();
  setMaxListeners(0, stopped.signal); // Every stream that is open listens for the end.
  const allowedHosts: string[] = [];
  const app = controllerApp(controller, { ...options, allowedHosts, stopped: stopped.signal });
  const server = createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    serverOptions: { requestTimeout: REQUEST_TIMEOUT_MS },
  }) as Server;
  const bound = await listen(server, host, port);
  allowedHosts.push(...hostsOf(host, bound));
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    async close(): Promise<void> {
      stopped.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

const hungText = (stallMs: number): string =>
  `the database has not answered for ${stallMs / 1_000} s, most likely because the disk is full or files may not ` +
  "grow; ending: free space and start again, nothing acknowledged is lost";

const newKeyText = (dataDir: string, kid: string): string =>
  `${join(dataDir, SIGNING_KEY_FILE)} was not there, so a new key signs from now on (${kid}); ` +
  "gateways on other machines have to be told: sluice key show";

/** Products behind the controller's ports, and the names by which documents ask for them. */
function driversOf(hub: GatewayRegistry, clock: Clock) {
  return {
    // An agent beside HAProxy follows as a gateway does, and is confirmed as one.
    traffic: { gateway: gatewayTraffic(hub), haproxy: gatewayTraffic(hub, "haproxy", "sluice plane haproxy FILE") },
    health: httpHealth(clock, { access: (plan) => httpAccess(plan, clock) }),
    metrics: metricSources(clock),
    resources: resourcesOf(clock),
    regionProbe: regionProbe(),
    askRebuild,
    faultAgent: httpFaultAgent,
    drivers: KNOWN_DRIVERS,
  };
}

type Started = RunningController | TakenDirectory | TakenStore;

/** Starts the controller that owns a data directory. Whatever was started is stopped again when a later part fails. */
export async function startController(options: ServeControllerOptions): Promise<Started> {
  const { dataDir, log } = options;
  const locked = await lockDataDirectory(dataDir);
  if (locked.kind === "taken") return { kind: "taken", pid: locked.owner.pid, apiUrl: locked.owner.apiUrl };
  const undo: (() => Promise<unknown>)[] = [() => locked.lock.release()];
  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const stallMs = options.stallMs ?? STALL_MS;
    const { server = null, isNew = false, takesOver = false } = options;
    // A server cannot take the event loop with it.
    if (server === null) undo.push(watchEventLoop(stallMs, hungText(stallMs)));
    const opened = await openStore({ dataDir, server, isNew, takesOver, clock: systemClock(), log }, undo);
    if (opened.kind === "held") {
      await stop();
      return opened;
    }
    const { controller, url, tokenFile } = await serveStore(opened, options, undo);
    locked.lock.announce(url);
    undo.push(() => controller.announceStop()); // The first step of a stop, while gateways can still be answered.
    return {
      kind: "started",
      url,
      tokenFile,
      superseded: controller.superseded,
      stop() {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The controller of a store and its API. @param undo gets what ends them */
async function serveStore(
  opened: OpenedStore,
  options: ServeControllerOptions,
  undo: (() => Promise<unknown>)[],
): Promise<{ readonly controller: Controller; readonly url: string; readonly tokenFile: string }> {
  const { dataDir, host, port, probes, log, onFatal, forgetAfterMs, hasOpenMetrics = false } = options;
  // After the database: a token says there is one, and a start that was cut off before must not look like a loss.
  const { path: tokenFile, token } = await openTokenFile(dataDir);
  const gateway = await openTokenFile(dataDir, TOKEN_FILES.gateway);
  const { signer, isNew: isNewKey } = await openSigningKey(dataDir);
  const clock = systemClock();
  const hub = new GatewayRegistry(() => clock.monoMs());
  const controller = await Controller.open({
    store: opened.store,
    taking: opened.taking,
    hub,
    random: systemRandom,
    proof: null, // Each answer is proven with the credential it answers to.
    signer,
    probes,
    ...driversOf(hub, clock),
    clock,
    log,
    onFatal,
    forgetAfterMs,
  });
  undo.push(() => controller.stop());
  await keepIdentity(dataDir, controller.storeId);
  // Only where there were gateways to tell: the first start of all makes one in silence.
  if (isNewKey && controller.planes.all().length > 0) log(newKeyText(dataDir, kidOf(signer.current.publicKey)));
  const own = [[token, "admin"] as const, [gateway.token, "gateway"] as const];
  const tokens = await TokenBook.open(controller.store, clock, own);
  const backup = () => backupBody(dataDir, clock.wallMs(), opened.copy);
  const api = { secret: token, tokens, hasOpenMetrics, clock, log, backup };
  const { url, close } = await openApi(controller, api, host, port);
  undo.push(close);
  return { controller, url, tokenFile };
}
