import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RoutingDocument } from "../core/routing/document.ts";
import { compileRouteTable, stableOnly } from "../core/routing/route.ts";
import type { Clock } from "../ports/clock.ts";
import { configText, type ProxySettings } from "./config.ts";
import { type ProxyPlaces, problemIn, reloadProxy, startProxy } from "./proxy-process.ts";
import { type Rendering, renderingOf, slotsOf, unservable } from "./rendering.ts";
import { ROUTE_KEY, routeEntry } from "./route-entry.ts";
import { ask, hasChecked, ProxyUnreachable, readMap } from "./runtime-socket.ts";

/** How long a start or a reload may take until the new configuration answers. */
const UP_WITHIN_MS = 10_000;
const LOOK_MS = 50;

export interface ProxyOptions extends Pick<ProxySettings, "listen" | "trustedProxies" | "threads"> {
  /** Folder for its configuration, map and sockets; belongs to one data plane. */
  readonly runDir: string;
  readonly program: string;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/**
 * One HAProxy as a thing that serves a routing document: a change of share or arm is one map entry, read back; a new
 * release, seed or identity is a new configuration and a reload. What lies on disk serves stable alone, so that a proxy
 * that starts without its agent gives nobody to a candidate.
 */
export class Proxy {
  readonly places: ProxyPlaces;
  readonly #options: ProxyOptions;
  readonly #socket: string;
  #rendering: Rendering | null = null;
  #map = "";
  #leasePath = "";

  constructor(options: ProxyOptions) {
    const { runDir, program } = options;
    this.#options = options;
    this.#socket = join(runDir, "runtime.sock");
    this.places = {
      program,
      configFile: join(runDir, "haproxy.cfg"),
      masterSocket: join(runDir, "master.sock"),
      pidFile: join(runDir, "haproxy.pid"),
    };
  }

  /** What the proxy asks for while its configuration has room for the document served last. */
  get leasePath(): string {
    return this.#leasePath;
  }

  /** Where the agent is asked for the lease, and takes the log. */
  get sockets(): { readonly lease: string; readonly log: string } {
    const { runDir } = this.#options;
    return { lease: join(runDir, "lease.sock"), log: join(runDir, "log.sock") };
  }

  /**
   * Makes a document what is served, and reads it back. Null when it is, else what the proxy cannot do of it.
   * @throws ProxyUnreachable when nobody can say what is served now
   */
  async serve(document: RoutingDocument, isOverridden: boolean): Promise<string | null> {
    const refusal = unservable(document);
    if (refusal !== null) return refusal;
    const hasRoom = this.#rendering !== null && slotsOf(document, this.#rendering) !== null;
    const problem = hasRoom && (await this.#isUp()) ? null : await this.#render(document);
    if (problem !== null) return problem;
    const entry = this.#entryOf(document, isOverridden);
    await this.#keepSafe(document);
    await this.#set(entry);
    return null;
  }

  /** Whether exactly this is served, by the proxy's own word. */
  async serves(document: RoutingDocument, isOverridden: boolean): Promise<boolean> {
    if (this.#rendering === null || slotsOf(document, this.#rendering) === null) return false;
    const { clock } = this.#options;
    return (await readMap(this.#socket, this.#map, ROUTE_KEY, clock)) === this.#entryOf(document, isOverridden);
  }

  #entryOf(document: RoutingDocument, isOverridden: boolean): string {
    const table = compileRouteTable(document);
    const entry = routeEntry(isOverridden ? stableOnly(table, "override") : table, this.#rendering as Rendering);
    if (entry === null) throw new Error("the rendering has no room for its own document");
    return entry;
  }

  async #set(entry: string): Promise<void> {
    const { clock } = this.#options;
    const said = await ask(this.#socket, `set map ${this.#map} ${ROUTE_KEY} ${entry}`, clock);
    const found = await readMap(this.#socket, this.#map, ROUTE_KEY, clock);
    if (found === entry) return;
    throw new ProxyUnreachable(`the proxy routes by "${found}" after it was given "${entry}" ${said.trim()}`);
  }

  /** A new configuration under a name of its own, so that only a process that has it answers for its map. */
  async #render(document: RoutingDocument): Promise<string | null> {
    const { runDir, clock, log } = this.#options;
    const rendering = renderingOf(document);
    const name = createHash("sha256").update(JSON.stringify(rendering)).digest("hex").slice(0, 12);
    const [mapFile, allowFile] = [join(runDir, `route-${name}.map`), join(runDir, `allow-${name}.lst`)];
    const { lease: leaseSocket, log: logSocket } = this.sockets;
    const leasePath = `/lease/${name}`;
    const places = { runtimeSocket: this.#socket, mapFile, allowFile, leaseSocket, logSocket, leasePath };
    const settings = { ...this.#options, ...places };
    const text = configText(rendering, settings);
    await writeWhole(allowFile, `${rendering.allow.join("\n")}\n`);
    this.#rendering = rendering;
    this.#map = mapFile;
    this.#leasePath = leasePath;
    await this.#keepSafe(document);
    const next = `${this.places.configFile}.next`;
    await writeFile(next, text, { mode: 0o600 });
    const problem = await problemIn(this.places, next);
    if (problem !== null) return problem;
    const isSame = (await readFile(this.places.configFile, "utf8").catch(() => "")) === text;
    await rename(next, this.places.configFile);
    if (isSame && (await this.#isUp())) return null;
    const isRunning = await ask(this.places.masterSocket, "show version", clock).then(
      () => true,
      () => false,
    );
    log(isRunning ? "another release or seed: HAProxy takes up a new configuration" : "starting HAProxy");
    await (isRunning ? reloadProxy(this.places, clock) : startProxy(this.places));
    return this.#waitUntilUp();
  }

  /** Up, and the lease was asked for once: a proxy takes what it has not looked at for alive. */
  async #waitUntilUp(): Promise<string | null> {
    const { clock } = this.#options;
    const endMs = clock.monoMs() + UP_WITHIN_MS;
    while (clock.monoMs() < endMs) {
      if ((await this.#isUp()) && (await hasChecked(this.#socket, clock).catch(() => false))) return null;
      await clock.sleep(LOOK_MS);
    }
    throw new ProxyUnreachable(`HAProxy did not take up its configuration within ${UP_WITHIN_MS / 1_000} s`);
  }

  async #isUp(): Promise<boolean> {
    return (await readMap(this.#socket, this.#map, ROUTE_KEY, this.#options.clock).catch(() => null)) !== null;
  }

  /** What a start of the proxy without us would serve. */
  async #keepSafe(document: RoutingDocument): Promise<void> {
    const table = stableOnly(compileRouteTable(document), "lease-expired");
    const entry = routeEntry(table, this.#rendering as Rendering);
    await writeWhole(this.#map, `${ROUTE_KEY} ${entry}\n`);
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.next`, text, { mode: 0o600 });
  await rename(`${path}.next`, path);
}
