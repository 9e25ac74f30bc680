import { rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect, type Server as NetServer, type Socket } from "node:net";
import type { ServingArm } from "../core/arm.ts";
import type { Admission } from "../core/routing/admit.ts";
import { isProvisional, type RoutingDocument } from "../core/routing/document.ts";
import type { Place } from "../core/window/recorder.ts";
import { readServiceEvent, signalsOf } from "../core/window/service-event.ts";
import { NOTHING_SEEN, toldOf } from "../core/window/told.ts";
import { loopsOf } from "../core/trace/tool-calls.ts";
import { type Carrier, Follower, type FollowerOptions } from "../link/follower.ts";
import { endServer, logReceiver } from "./log-receiver.ts";
import { type LoggedRequest, readLogLine } from "./log-line.ts";
import { Proxy, type ProxyOptions } from "./proxy.ts";
import { proxyPid } from "./proxy-process.ts";
import { renderingOf } from "./rendering.ts";

/** How often the proxy is asked what it serves. */
const LOOK_MS = 250;
/** Without an answer for so long nobody knows what it serves, and the controller is told nothing. */
const SEEN_MS = 1_000;
/** Requests of earlier documents that still end are counted by the document that routed them. */
const DOCUMENTS_KEPT = 16;

export interface AgentOptions extends FollowerOptions {
  readonly proxy: Omit<ProxyOptions, "clock" | "log">;
}

type Places = Readonly<Record<"drawn" | "chosen", Readonly<Record<ServingArm, Place>>>>;

/** A data plane whose requests HAProxy carries: the brain beside it, its lease, and what it counted. */
export class HaproxyAgent {
  readonly url: string;
  readonly #options: AgentOptions;
  readonly #proxy: Proxy;
  readonly #follower: Follower<null>;
  readonly #servers: readonly (Server | NetServer)[];
  readonly #sockets: Set<Socket>;
  readonly #stopped = new AbortController();
  /** By `epoch.seq`, oldest first. */
  readonly #places = new Map<string, Places>();
  readonly #counts = { requests: 0, unread: 0 };
  #seenAtMonoMs = Number.NEGATIVE_INFINITY;
  #working: Promise<unknown> = Promise.resolve();
  #isTold = false;
  /** What the proxy asks for by the document in force. */
  #leasePath = "";

  /**
   * Brings a proxy to serve the document it begins with, and follows the controller from then on.
   * @throws Error with a sentence when HAProxy cannot serve it
   */
  static async start(options: AgentOptions): Promise<HaproxyAgent> {
    const sockets = new Set<Socket>();
    let agent: HaproxyAgent | null = null;
    const lease = createServer(({ url }, response) => {
      response.writeHead(agent?.mayShare(url ?? "") === true ? 200 : 503).end();
    });
    const log = logReceiver((line) => agent?.count(line));
    for (const server of [lease, log])
      server.on("connection", (socket: Socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      });
    const { clock, log: say = () => {}, proxy: asked } = options;
    const proxy = new Proxy({ ...asked, clock, log: say });
    await listen(lease, proxy.sockets.lease);
    await listen(log, proxy.sockets.log);
    const carrier: Carrier<null> = {
      prepare: () => null,
      serve: (document) => (agent as HaproxyAgent).serve(document),
      onAdopt: () => agent?.adopted(),
      onOverride: () => void agent?.look(),
      isSeen: () => agent?.isSeen() ?? false,
    };
    const follower = await Follower.open(options, carrier);
    agent = new HaproxyAgent(options, proxy, follower, [lease, log], sockets);
    const problem = await agent.serve(follower.plane.document).catch((error: unknown) => (error as Error).message);
    if (problem !== null) {
      await agent.#endServers();
      throw new Error(problem);
    }
    agent.adopted();
    follower.start();
    void agent.#watch();
    return agent;
  }

  private constructor(
    options: AgentOptions,
    proxy: Proxy,
    follower: Follower<null>,
    servers: readonly (Server | NetServer)[],
    sockets: Set<Socket>,
  ) {
    const { host, port } = options.proxy.listen;
    this.url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
    this.#options = options;
    this.#proxy = proxy;
    this.#follower = follower;
    this.#servers = servers;
    this.#sockets = sockets;
  }

  /** Process of the proxy, which goes on when this one ends; null when nobody knows. */
  proxyPid(): Promise<number | null> {
    return proxyPid(this.#proxy.places);
  }

  /** Decides on a document that arrived as JSON text, and has to be signed; taken when the proxy serves it. */
  offer(text: string): Promise<Admission> {
    return this.#follower.offer(text);
  }

  lookAgain(): Promise<void> {
    return this.#follower.lookAgain();
  }

  follow(controllerUrl: string, token: string): void {
    this.#follower.follow(controllerUrl, token);
  }

  async overrideWith(to: "stable" | null): Promise<void> {
    await this.#follower.overrideWith(to);
    await this.look();
  }

  stats() {
    const { plane, control } = this.#follower;
    const { epoch, seq } = plane.document;
    const { leaseExpired } = plane.counts;
    return { ...this.#counts, leaseExpired, override: plane.override?.to ?? null, document: { epoch, seq }, control };
  }

  /**
   * Whether the proxy may share users between the arms of a provisional document now; it does not ask for any other. It
   * hears of it one look and one answer late, so the lease ends here as much earlier.
   * @param path of the rendering that asks: what is not adopted yet has no lease, whatever the one before had
   */
  mayShare(path: string): boolean {
    const { plane } = this.#follower;
    if (plane.override !== null || path !== this.#leasePath || !isProvisional(plane.document)) return false;
    return plane.leaseLeftMs > 2 * renderingOf(plane.document).checkMs;
  }

  isSeen(): boolean {
    return this.#options.clock.monoMs() - this.#seenAtMonoMs < SEEN_MS;
  }

  /** One document after another. @throws ProxyUnreachable when nobody can say what is served */
  serve(document: RoutingDocument): Promise<string | null> {
    return this.#inTurn(async () => {
      const problem = await this.#proxy.serve(document, this.#follower.plane.override !== null);
      if (problem === null) this.#seenAtMonoMs = this.#options.clock.monoMs();
      return problem;
    });
  }

  /** Keeps the places of the document in force, for requests that end after it. */
  adopted(): void {
    this.#leasePath = this.#proxy.leasePath;
    const { document, recorder } = this.#follower.plane;
    const both = (of: (arm: ServingArm) => Place) => ({ stable: of("stable"), candidate: of("candidate") });
    const places = {
      drawn: both((arm) => recorder.drawnPlaceOf(arm)),
      chosen: both((arm) => recorder.placeOf(arm)),
    };
    this.#places.set(`${document.epoch}.${document.seq}`, places);
    for (const [number] of this.#places) if (this.#places.size > DOCUMENTS_KEPT) this.#places.delete(number);
  }

  /** Counts one request that ended. */
  count(line: string): void {
    const request = readLogLine(line);
    const places = request === null ? undefined : this.#places.get(request.document);
    if (request === null || places === undefined) return void this.#counts.unread++;
    this.#counts.requests++;
    const { plane } = this.#follower;
    const { recorder } = plane;
    if (request.isLeaseExpired) plane.planAt(this.#options.clock.monoMs()); // Which counts it.
    if (request.isOurs) return recorder.countGatewayFailure();
    const { arm, hash, isCold, isWarmPing, latencyMs, errorClass } = request;
    const place = this.#placeOf(request, places);
    const traffic = isWarmPing ? "probe" : isCold ? "cold" : "warm";
    const isEvidence = recorder.record(place, hash, traffic, latencyMs, errorClass, this.#options.clock.monoMs());
    if (!isWarmPing) this.#hear(request, arm, place, isEvidence);
  }

  /** Ends the agent. The proxy serves on, stable alone. */
  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#working;
    await this.#follower.close();
    await this.#endServers();
  }

  /** Looks at what the proxy serves, and puts it right where it is something else, as after a restart of its own. */
  async look(): Promise<void> {
    const { log = () => {}, clock } = this.#options;
    await this.#inTurn(async () => {
      const { document, override } = this.#follower.plane;
      const isOverridden = override !== null;
      try {
        if (!(await this.#proxy.serves(document, isOverridden))) await this.#proxy.serve(document, isOverridden);
        this.#seenAtMonoMs = clock.monoMs();
        if (this.#isTold) log("HAProxy answers again");
        this.#isTold = false;
      } catch (error) {
        if (!this.#isTold)
          log(`HAProxy does not say what it serves, so the controller hears nothing: ${String(error)}`);
        this.#isTold = true;
      }
    });
  }

  #placeOf({ document, arm, hash, isDrawn }: LoggedRequest, { drawn, chosen }: Places): Place {
    if (!isDrawn || hash === null) return chosen[arm];
    const { plane } = this.#follower;
    const isCurrent = document === `${plane.document.epoch}.${plane.document.seq}`;
    const target = plane.document.arms[arm];
    // A unit is new under the share in force alone.
    if (isCurrent && target !== null)
      plane.recorder.arrive({ arm, hash, reason: "sticky", target: { ...target, arm } });
    return drawn[arm];
  }

  #hear({ event, hash }: LoggedRequest, arm: ServingArm, place: Place, isEvidence: boolean): void {
    const { recorder, document } = this.#follower.plane;
    const said = event === null ? null : readServiceEvent(event);
    const [own, other] = [document.arms[arm], document.arms[arm === "stable" ? "candidate" : "stable"]];
    const isOther = (writer: string) => writer === other?.releaseId || writer === other?.cachePrefix;
    if (said !== null) recorder.hear(place, signalsOf(said, isOther, loopsOf(said.tools)));
    if (isEvidence && document.signals !== undefined)
      recorder.tell(place, hash, toldOf(said, NOTHING_SEEN, own?.releaseId ?? ""));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#working.then(work);
    this.#working = done.catch(() => {});
    return done;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await this.#options.clock.sleep(LOOK_MS, signal);
      if (!signal.aborted) await this.look();
      this.#follower.tellLease();
    }
  }

  async #endServers(): Promise<void> {
    await Promise.all(this.#servers.map((server) => endServer(server, this.#sockets)));
  }
}

/** Listens at a socket in its own folder, in place of one that an agent left that is gone. */
async function listen(server: Server | NetServer, path: string): Promise<void> {
  if (await isAnswered(path)) throw new Error(`another agent listens at ${path}; stop that one, or use another --data`);
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
