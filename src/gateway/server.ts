import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Admission } from "../core/routing/admit.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import { hexOf } from "../plane/digest.ts";
import type { ControlStats } from "../link/control-link.ts";
import { type Carrier, Follower } from "../link/follower.ts";
import { type GatewayCounts, zeroCounts } from "./counts.ts";
import { EventLog } from "./event-log.ts";
import type { HandlerContext } from "./handler.ts";
import { httpServer } from "./http-server.ts";
import {
  DEFAULT_LIMITS,
  DEFAULT_TIMEOUTS,
  type GatewayLimits,
  type GatewayOptions,
  type GatewayTimeouts,
} from "./options.ts";
import { Mirror } from "./mirror.ts";
import { Peers } from "./peers.ts";
import { endpointsOf, planFor, type RoutingPlan } from "./routing-plan.ts";
import { PAUSE_MS, TASKS_A_TURN } from "./small-turns.ts";
import { shadowKeyOf } from "./shadow-route.ts";
import { StalledWrites } from "./stalled-writes.ts";
import { UpstreamSet } from "./upstream.ts";

const LISTEN_BACKLOG = 1_024;
/** How often what takes too long is looked for. */
const SWEEP_MS = 500;

/** What the gateway counted and holds now. */
interface GatewayStats extends Readonly<GatewayCounts> {
  readonly documentsAdopted: number;
  readonly documentsRefused: number;
  /** Requests that went to stable because the lease on the candidate's share was over. */
  readonly leaseExpired: number;
  readonly override: "stable" | null;
  /** True when signatures of documents are not looked at. */
  readonly acceptsUnsigned: boolean;
  readonly inFlight: number;
  readonly document: { readonly epoch: number; readonly seq: number };
  readonly eventsDropped: number;
  /** Null without a controller. */
  readonly control: ControlStats | null;
}

/** A running gateway. */
export interface Gateway {
  /** Where clients reach it, e.g. `http://127.0.0.1:4401`. */
  readonly url: string;
  /** Its name in telemetry, unique for this start. */
  readonly gatewayId: string;
  /** The document in force. */
  document(): RoutingDocument;
  /**
   * Decides on a document of this very process, which needs no signature, and, when it is newer and valid, routes the
   * next request by it. Requests in flight end where they began; endpoints it no longer names close after `drainMs`.
   */
  adopt(document: RoutingDocument): Admission;
  /**
   * A person's word here: stable alone, without asking a controller; null follows the document again. In force at once;
   * resolves when a restart would remember it.
   */
  overrideWith(to: "stable" | null): Promise<void>;
  /** The same for a document that arrived as JSON text, and has to be signed. */
  offer(text: string): Promise<Admission>;
  /** The keys have changed: decides again on the last document that was refused for its signature. */
  lookAgain(): Promise<void>;
  /** Follows a controller that was not there at the start, or that was started again at another address. */
  follow(controllerUrl: string, token: string): void;
  stats(): GatewayStats;
  /**
   * Takes no new connections, answers what runs with `Connection: close`, cuts what still runs after the document's
   * `drainMs`, pushes the last window and ends. Idempotent.
   */
  drain(): Promise<void>;
}

/**
 * Starts a gateway and resolves when it accepts connections. Throws a TypeError that lists the problems when the
 * document is not admissible, and the system's error when it cannot listen.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = await RunningGateway.open(options);
  await gateway.listen();
  return gateway;
}

class RunningGateway implements Gateway {
  url = "";
  readonly #options: GatewayOptions;
  readonly #context: HandlerContext;
  readonly #follower: Follower<RoutingPlan>;
  readonly #upstreams: UpstreamSet;
  readonly #timeouts: GatewayTimeouts;
  readonly #stopped = new AbortController();
  readonly #server: Server;
  #drained: Promise<void> | null = null;
  #onAllEnded: () => void = () => {};

  static async open(options: GatewayOptions): Promise<RunningGateway> {
    const { clock, random } = options;
    const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const upstreams = new UpstreamSet(timeouts, limits, clock);
    const chance = { visitorId: () => hexOf(random.bytes(16)), uniform: () => random.float() };
    let mirror: Mirror | null = null;
    const carrier: Carrier<RoutingPlan> = {
      prepare: (table) => planFor(table, upstreams, limits.headerCount, chance),
      onAdopt: (document, routed) => {
        upstreams.keepOnly(endpointsOf(routed), document.drainMs);
        mirror?.follow(shadowKeyOf(document));
      },
    };
    const follower = await Follower.open(options, carrier);
    const gateway = new RunningGateway(options, follower, upstreams, timeouts, limits);
    ({ mirror } = gateway.#context);
    return gateway;
  }

  private constructor(
    options: GatewayOptions,
    follower: Follower<RoutingPlan>,
    upstreams: UpstreamSet,
    timeouts: GatewayTimeouts,
    limits: GatewayLimits,
  ) {
    const { clock, service } = options;
    this.#options = options;
    this.#timeouts = timeouts;
    this.#upstreams = upstreams;
    this.#follower = follower;
    const events =
      options.events === undefined ? null : new EventLog(options.events, service, options.region ?? null, clock);
    const { plane } = follower;
    const { recorder } = plane;
    const newId = () => hexOf(options.random.bytes(8));
    this.#context = {
      clock,
      plane,
      recorder,
      counts: zeroCounts(),
      events,
      mirror: new Mirror({ clock, timeouts, limits, recorder, events, newId }),
      bodyBytesMax: limits.bodyBytes,
      isDraining: false,
      isCutting: false,
      inFlight: 0,
      onEnd: () => this.#ended(),
      stalls: new StalledWrites(),
      peers: new Peers(options.trustedProxies ?? [], limits.clientConnections),
      verifyPin: options.verifyPin ?? null,
    };
    this.#server = httpServer(this.#context, timeouts, limits);
  }

  get gatewayId(): string {
    return this.#follower.gatewayId;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options.listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port, backlog: LISTEN_BACKLOG }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    const address = this.#server.address() as AddressInfo;
    this.url = `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
    this.#follower.start();
    void this.#sweep();
  }

  document(): RoutingDocument {
    return this.#follower.plane.document;
  }

  adopt(document: RoutingDocument): Admission {
    return this.#follower.adopt(document);
  }

  overrideWith(to: "stable" | null): Promise<void> {
    return this.#follower.overrideWith(to);
  }

  offer(text: string): Promise<Admission> {
    return this.#follower.offer(text);
  }

  lookAgain(): Promise<void> {
    return this.#follower.lookAgain();
  }

  follow(controllerUrl: string, token: string): void {
    if (this.#drained === null) this.#follower.follow(controllerUrl, token);
  }

  stats(): GatewayStats {
    const { plane, control } = this.#follower;
    const { epoch, seq } = plane.document;
    return {
      ...this.#context.counts,
      documentsAdopted: plane.counts.adopted,
      documentsRefused: plane.counts.refused,
      leaseExpired: plane.counts.leaseExpired,
      override: plane.override?.to ?? null,
      acceptsUnsigned: this.#options.keys?.acceptsUnsigned ?? false,
      inFlight: this.#context.inFlight,
      document: { epoch, seq },
      eventsDropped: this.#context.events?.dropped ?? 0,
      control,
    };
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    const context = this.#context;
    context.isDraining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const ended = new AbortController();
    void this.#options.clock.sleep(this.document().drainMs, ended.signal).then(() => {
      if (ended.signal.aborted) return;
      context.isCutting = true;
      this.#server.closeAllConnections();
    });
    await closed;
    ended.abort();
    this.#stopped.abort();
    await this.#allEnded(); // Exchanges hear of their connections a little later than the server does.
    context.mirror.close();
    await this.#follower.close();
    await this.#upstreams.destroy();
    await context.events?.close();
  }

  /** Ends what stands still for too long, until the gateway itself ends. */
  async #sweep(): Promise<void> {
    const { counts, stalls, clock, mirror } = this.#context;
    while (!this.#stopped.signal.aborted) {
      this.#follower.tellLease();
      const nowMs = clock.monoMs();
      counts.stalled += stalls.cut(nowMs, this.#timeouts.clientWriteMs);
      mirror.expire(nowMs);
      await this.#expireWaiting(nowMs - this.#timeouts.queueMs);
      await clock.sleep(SWEEP_MS, this.#stopped.signal);
    }
  }

  /** What came together is late together: ended a little at a time, so that whoever else waits is served in between. */
  async #expireWaiting(untilMs: number): Promise<void> {
    while (this.#upstreams.expire(untilMs, TASKS_A_TURN) === TASKS_A_TURN)
      await this.#context.clock.sleep(PAUSE_MS, this.#stopped.signal);
  }

  async #allEnded(): Promise<void> {
    if (this.#context.inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#onAllEnded = resolve;
    });
  }

  #ended(): void {
    if (this.#context.inFlight === 0) this.#onAllEnded();
    // A connection whose answer began before the drain is kept alive by its client; it is idle a moment later.
    if (this.#context.isDraining) setImmediate(() => this.#server.closeIdleConnections());
  }
}
