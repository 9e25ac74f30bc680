import type { Admission } from "../core/routing/admit.ts";
import { isProvisional, type RoutingDocument } from "../core/routing/document.ts";
import type { RouteTable } from "../core/routing/route.ts";
import type { TelemetryWindow } from "../core/window/window.ts";
import { hexOf } from "../plane/digest.ts";
import { KeyRing, NO_KEYS } from "../plane/key-ring.ts";
import { isUnbelieved, reasonOf } from "../plane/plane.ts";
import { type Proof, tokenProof } from "../plane/proof.ts";
import { RecordedPlane } from "../plane/recorded-plane.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import { ControlLink, type ControlStats, type ControlTarget } from "./control-link.ts";
import { PlaneFile } from "./plane-file.ts";
import { StateFile } from "./state-file.ts";

/** What a data plane is told of itself and of its controller when it starts. */
export interface FollowerOptions {
  readonly service: string;
  /** The document to start with. A newer one in `stateFile` wins. */
  readonly document: RoutingDocument;
  readonly clock: Clock;
  readonly random: Random;
  /** Names this data plane in telemetry; visible ASCII, at most 100 characters. Each start adds its own suffix. */
  readonly gatewayId: string;
  /** Base URL of the controller, e.g. `http://127.0.0.1:4400`; absent: documents come through `adopt` only. */
  readonly controllerUrl?: string | undefined;
  /** The controller's keys; by default none, and then only `adopt` changes the document. */
  readonly keys?: KeyRing | undefined;
  /** Bearer token for the controller. */
  readonly token?: string | undefined;
  /** Where its name toward the controller and a person's word are kept, so that both outlive a restart. */
  readonly planeFile?: string | undefined;
  /** Where the last good document is kept, so that a restart without the controller serves the last good split. */
  readonly stateFile?: string | undefined;
  /** Where this data plane stands; default: nobody says. */
  readonly region?: string | undefined;
  /** Called with every closed window, in order; must not throw. */
  readonly onWindow?: ((window: TelemetryWindow) => void) | undefined;
  /** One line about something an operator should know; default: none. */
  readonly log?: ((line: string) => void) | undefined;
}

/** How whoever carries the requests takes a document up. */
export interface Carrier<P> {
  /** Prepares a table for traffic, once or twice a document and never for a request. */
  readonly prepare: (table: RouteTable) => P;
  /**
   * Called in the tick in which the next request is routed by another document.
   * @param routed the same as it is routed by here
   */
  readonly onAdopt: (document: RoutingDocument, routed: RoutingDocument) => void;
  /** Whether what it serves is known at this moment; while it is not, the controller hears nothing. Default: always. */
  readonly isSeen?: () => boolean;
  /**
   * Makes a valid document what is served, before it counts as adopted; for requests that another process carries. What
   * was refused comes back as a sentence. Absent: this process routes by it at once.
   */
  readonly serve?: (document: RoutingDocument) => Promise<string | null>;
  /** Called when a person's word begins or ends. */
  readonly onOverride?: () => void;
}

/**
 * A data plane that follows a controller: its brain, the link to the controller, and the files by which it is the same
 * one after a restart.
 */
export class Follower<P> {
  /** Unique for this start. */
  readonly gatewayId: string;
  readonly plane: RecordedPlane<P>;
  readonly #options: FollowerOptions;
  readonly #carrier: Carrier<P>;
  readonly #stateFile: StateFile | null;
  readonly #planeFile: PlaneFile;
  #link: ControlLink | null;
  /** Of the controller that is followed; null while there is none, and then nothing is believed. */
  #proof: Proof | null = null;
  #unbelieved: string | null = null;
  /** One document after another: each may have to be taken up elsewhere first. */
  #offers: Promise<unknown> = Promise.resolve();
  #leaseExpiredSeen = 0;
  #isLeaseTold = false;
  #looksWithoutLease = 0;

  /**
   * Reads what was kept, and does nothing yet.
   * @throws TypeError that lists the problems when the document is not admissible or of another service
   */
  static async open<P>(options: FollowerOptions, carrier: Carrier<P>): Promise<Follower<P>> {
    const { document: given, service, random, keys = new KeyRing(NO_KEYS), log = () => {} } = options;
    if (given.service !== service)
      throw new TypeError(`found a document of service ${given.service}, expected ${service}`);
    const stateFile = options.stateFile === undefined ? null : new StateFile(options.stateFile, log);
    const document = stateFile === null ? given : await stateFile.newest(given, keys);
    const planeFile = await PlaneFile.open(options.planeFile ?? null, random, log);
    return new Follower(options, carrier, document, stateFile, planeFile);
  }

  private constructor(
    options: FollowerOptions,
    carrier: Carrier<P>,
    document: RoutingDocument,
    stateFile: StateFile | null,
    planeFile: PlaneFile,
  ) {
    const { clock, controllerUrl, token } = options;
    this.#options = options;
    this.#carrier = carrier;
    this.#stateFile = stateFile;
    this.#planeFile = planeFile;
    this.gatewayId = `${options.gatewayId}.${hexOf(options.random.bytes(4))}`;
    this.plane = new RecordedPlane({
      document,
      gatewayId: this.gatewayId,
      clock,
      prepare: carrier.prepare,
      planeId: `${options.gatewayId}.${planeFile.id}`,
      region: options.region,
      keys: options.keys,
      proof: {
        prove: (text) => this.#proof?.prove(text) ?? Promise.resolve(""),
        isProven: (text, given) => this.#proof?.isProven(text, given) ?? Promise.resolve(false),
      },
      override: planeFile.override,
      onAdopt: (adopted) => {
        carrier.onAdopt(adopted, this.plane.routed);
        this.#stateFile?.save(adopted);
        this.#link?.hurry();
      },
      onOverride: (override) => {
        planeFile.save(override);
        carrier.onOverride?.();
        this.#link?.hurry();
      },
      onWindow: (window) => {
        this.#link?.add(window);
        options.onWindow?.(window);
      },
    });
    this.#proof = token === undefined ? null : tokenProof(token);
    this.#link = controllerUrl === undefined ? null : new ControlLink(this.#asTarget(), clock, controllerUrl, token);
  }

  /** Begins to follow, once the document it began with is served. */
  start(): void {
    this.#stateFile?.save(this.plane.document);
    this.#link?.start();
  }

  /** How the link does; null without a controller. */
  get control(): ControlStats | null {
    return this.#link?.stats ?? null;
  }

  /** Decides on a document of this very process, which needs no signature. */
  adopt(document: RoutingDocument): Admission {
    return this.#heard(this.plane.adopt(document));
  }

  /** Decides on a document that arrived as JSON text, and has to be signed. */
  offer(text: string): Promise<Admission> {
    const decided = this.#offers.then(() => this.#decide(text));
    this.#offers = decided.catch(() => {});
    return decided;
  }

  /** The keys have changed: decides again on the last document that was refused for its signature. */
  async lookAgain(): Promise<void> {
    if (this.#unbelieved !== null) await this.offer(this.#unbelieved);
  }

  /** A person's word. In force at once; resolves when a restart would remember it. */
  overrideWith(to: "stable" | null): Promise<void> {
    this.plane.overrideWith(to);
    return this.#planeFile.settled();
  }

  /** Follows a controller that was not there at the start, or that was started again at another address. */
  follow(controllerUrl: string, token: string): void {
    this.#proof = tokenProof(token);
    if (this.#link !== null) return this.#link.moveTo(controllerUrl, token);
    this.#link = new ControlLink(this.#asTarget(), this.#options.clock, controllerUrl, token);
    this.#link.start();
  }

  /** Whoever looks at this data plane while its controller is away should see where its users are, and why. */
  tellLease(): void {
    const { leaseExpired } = this.plane.counts;
    const isWithout = leaseExpired > this.#leaseExpiredSeen && this.plane.leaseLeftMs === 0;
    this.#leaseExpiredSeen = leaseExpired;
    if (!isProvisional(this.plane.document)) this.#isLeaseTold = false; // Everybody is where the document says.
    // A document that has just come is waited for its first lease half a second, which is nothing to tell of.
    this.#looksWithoutLease = isWithout ? this.#looksWithoutLease + 1 : 0;
    if (this.#looksWithoutLease > 1 && !this.#isLeaseTold) {
      this.#options.log?.(
        "no lease: the controller has not answered in time, so every user is on stable until it does",
      );
      this.#isLeaseTold = true;
    } else if (this.#isLeaseTold && this.plane.leaseLeftMs > 0) {
      this.#options.log?.("the controller answers again: the candidate gets its share of the users");
      this.#isLeaseTold = false;
    }
  }

  /** Pushes what was counted, says goodbye and keeps what is to be kept. */
  async close(): Promise<void> {
    await this.#link?.close();
    await this.#stateFile?.settled();
    await this.#planeFile.settled();
  }

  async #decide(text: string): Promise<Admission> {
    const { serve } = this.#carrier;
    const admission = this.#heard(await this.plane.offer(text, serve));
    this.#unbelieved = isUnbelieved(admission) ? text : null;
    return admission;
  }

  #heard(admission: Admission): Admission {
    if (admission.kind === "refuse") {
      this.#options.log?.(`routing document refused, the last good one stays: ${reasonOf(admission)}`);
    }
    return admission;
  }

  #asTarget(): ControlTarget {
    return {
      service: this.#options.service,
      gatewayId: this.gatewayId,
      log: this.#options.log ?? (() => {}),
      isSeen: this.#carrier.isSeen ?? (() => true),
      document: () => this.plane.document,
      offer: (text: string) => this.offer(text),
      report: (isLeaving) => this.plane.report(hexOf(this.#options.random.bytes(16)), isLeaving),
      hear: (ask, grant) => this.plane.hear(ask, grant),
      cut: () => this.plane.cut(),
    };
  }
}
