import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Admission } from "../core/routing/admit.ts";
import { isProvisional, type RoutingDocument } from "../core/routing/document.ts";
import { hexOf } from "../plane/digest.ts";
import { KeyRing, NO_KEYS } from "../plane/key-ring.ts";
import { isUnbelieved, reasonOf } from "../plane/plane.ts";
import { type Proof, tokenProof } from "../plane/proof.ts";
import { RecordedPlane } from "../plane/recorded-plane.ts";
import { ControlLink, type ControlStats, type ControlTarget } from "./control-link.ts";
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
import { PlaneFile } from "./plane-file.ts";
import { PAUSE_MS, TASKS_A_TURN } from "./small-turns.ts";
import { shadowKeyOf } from "./shadow-route.ts";
import { StalledWrites } from "./stalled-writes.ts";
import { StateFile } from "./state-file.ts";
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
  if (options.document.service !== options.service) {
    throw new TypeError(`found a document of service ${options.document.service}, expected ${options.service}`);
  }
  const log = options.log ?? (() => {});
  const stateFile = options.stateFile === undefined ? null : new StateFile(options.stateFile, log);
  const document =
    stateFile === null
      ? options.document
      : await stateFile.newest(options.document, options.keys ?? new KeyRing(NO_KEYS));
  const planeFile = await PlaneFile.open(options.planeFile ?? null, options.random, log);
  const gateway = new RunningGateway(options, document, stateFile, planeFile);
  await gateway.listen();
  return gateway;
}

class RunningGateway implements Gateway {
  readonly gatewayId: string;
  url = "";
  readonly #options: GatewayOptions;
  readonly #context: HandlerContext;
  readonly #plane: RecordedPlane<RoutingPlan>;
  readonly #upstreams: UpstreamSet;
  readonly #limits: GatewayLimits;
  readonly #timeouts: GatewayTimeouts;
  readonly #stopped = new AbortController();
  readonly #server: Server;
  readonly #stateFile: StateFile | null;
  readonly #planeFile: PlaneFile;
  #link: ControlLink | null;
  /** Of the controller that is followed; null while there is none, and then nothing is believed. */
  #proof: Proof | null = null;
  #drained: Promise<void> | null = null;
  #unbelieved: string | null = null;
  #leaseExpiredSeen = 0;
  #isLeaseTold = false;
  #looksWithoutLease = 0;
  #onAllEnded: () => void = () => {};

  constructor(options: GatewayOptions, document: RoutingDocument, stateFile: StateFile | null, planeFile: PlaneFile) {
    const { clock, service } = options;
    const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    this.#options = options;
    this.#timeouts = timeouts;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#stateFile = stateFile;
    this.#planeFile = planeFile;
    this.gatewayId = `${options.gatewayId}.${hexOf(options.random.bytes(4))}`;
    this.#upstreams = new UpstreamSet(timeouts, this.#limits, clock);
    this.#plane = new RecordedPlane({
      document,
      gatewayId: this.gatewayId,
      clock,
      prepare: (table) =>
        planFor(table, this.#upstreams, this.#limits.headerCount, {
          visitorId: () => hexOf(options.random.bytes(16)),
          uniform: () => options.random.float(),
        }),
      planeId: `${options.gatewayId}.${planeFile.id}`,
      region: options.region,
      keys: options.keys,
      proof: {
        prove: (text) => this.#proof?.prove(text) ?? Promise.resolve(""),
        isProven: (text, given) => this.#proof?.isProven(text, given) ?? Promise.resolve(false),
      },
      override: planeFile.override,
      onAdopt: (adopted) => this.#adopted(adopted),
      onOverride: (override) => {
        planeFile.save(override);
        this.#link?.hurry();
      },
      onWindow: (window) => {
        this.#link?.add(window);
        options.onWindow?.(window);
      },
    });
    const events =
      options.events === undefined ? null : new EventLog(options.events, service, options.region ?? null, clock);
    const { recorder } = this.#plane;
    const newId = () => hexOf(options.random.bytes(8));
    this.#context = {
      clock,
      plane: this.#plane,
      recorder,
      counts: zeroCounts(),
      events,
      mirror: new Mirror({ clock, timeouts, limits: this.#limits, recorder, events, newId }),
      bodyBytesMax: this.#limits.bodyBytes,
      isDraining: false,
      isCutting: false,
      inFlight: 0,
      onEnd: () => this.#ended(),
      stalls: new StalledWrites(),
      peers: new Peers(options.trustedProxies ?? [], this.#limits.clientConnections),
      verifyPin: options.verifyPin ?? null,
    };
    this.#server = httpServer(this.#context, timeouts, this.#limits);
    const { controllerUrl, token } = options;
    this.#proof = token === undefined ? null : tokenProof(token);
    this.#link = controllerUrl === undefined ? null : new ControlLink(this.#asTarget(), clock, controllerUrl, token);
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
    this.#stateFile?.save(this.document());
    this.#link?.start();
    void this.#sweep();
  }

  document(): RoutingDocument {
    return this.#plane.document;
  }

  adopt(document: RoutingDocument): Admission {
    return this.#heard(this.#plane.adopt(document));
  }

  overrideWith(to: "stable" | null): Promise<void> {
    this.#plane.overrideWith(to);
    return this.#planeFile.settled();
  }

  async offer(text: string): Promise<Admission> {
    const admission = this.#heard(await this.#plane.offer(text));
    this.#unbelieved = isUnbelieved(admission) ? text : null;
    return admission;
  }

  async lookAgain(): Promise<void> {
    if (this.#unbelieved !== null) await this.offer(this.#unbelieved);
  }

  follow(controllerUrl: string, token: string): void {
    if (this.#drained !== null) return;
    this.#proof = tokenProof(token);
    if (this.#link !== null) return this.#link.moveTo(controllerUrl, token);
    this.#link = new ControlLink(this.#asTarget(), this.#options.clock, controllerUrl, token);
    this.#link.start();
  }

  stats(): GatewayStats {
    const { epoch, seq } = this.document();
    return {
      ...this.#context.counts,
      documentsAdopted: this.#plane.counts.adopted,
      documentsRefused: this.#plane.counts.refused,
      leaseExpired: this.#plane.counts.leaseExpired,
      override: this.#plane.override?.to ?? null,
      acceptsUnsigned: this.#options.keys?.acceptsUnsigned ?? false,
      inFlight: this.#context.inFlight,
      document: { epoch, seq },
      eventsDropped: this.#context.events?.dropped ?? 0,
      control: this.#link?.stats ?? null,
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
    await this.#link?.close();
    await this.#upstreams.destroy();
    await context.events?.close();
    await this.#stateFile?.settled();
    await this.#planeFile.settled();
  }

  #heard(admission: Admission): Admission {
    if (admission.kind === "refuse") {
      this.#options.log?.(`routing document refused, the last good one stays: ${reasonOf(admission)}`);
    }
    return admission;
  }

  #adopted(document: RoutingDocument): void {
    this.#upstreams.keepOnly(endpointsOf(this.#plane.routed), document.drainMs);
    this.#context.mirror.follow(shadowKeyOf(document));
    this.#stateFile?.save(document);
    this.#link?.hurry();
  }

  /** Ends what stands still for too long, until the gateway itself ends. */
  async #sweep(): Promise<void> {
    const { counts, stalls, clock, mirror } = this.#context;
    while (!this.#stopped.signal.aborted) {
      this.#tellLease();
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

  /** Whoever looks at this gateway while its controller is away should see where its users are, and why. */
  #tellLease(): void {
    const { leaseExpired } = this.#plane.counts;
    const isWithout = leaseExpired > this.#leaseExpiredSeen && this.#plane.leaseLeftMs === 0;
    this.#leaseExpiredSeen = leaseExpired;
    if (!isProvisional(this.document())) this.#isLeaseTold = false; // Everybody is where the document says.
    // A document that has just come is waited for its first lease half a second, which is nothing to tell of.
    this.#looksWithoutLease = isWithout ? this.#looksWithoutLease + 1 : 0;
    if (this.#looksWithoutLease > 1 && !this.#isLeaseTold) {
      this.#options.log?.(
        "no lease: the controller has not answered in time, so every user is on stable until it does",
      );
      this.#isLeaseTold = true;
    } else if (this.#isLeaseTold && this.#plane.leaseLeftMs > 0) {
      this.#options.log?.("the controller answers again: the candidate gets its share of the users");
      this.#isLeaseTold = false;
    }
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

  #asTarget(): ControlTarget {
    return {
      service: this.#options.service,
      gatewayId: this.gatewayId,
      log: this.#options.log ?? (() => {}),
      document: () => this.document(),
      offer: (text: string) => this.offer(text),
      report: (isLeaving) => this.#plane.report(hexOf(this.#options.random.bytes(16)), isLeaving),
      hear: (ask, grant) => this.#plane.hear(ask, grant),
      cut: () => this.#plane.cut(),
    };
  }
}
