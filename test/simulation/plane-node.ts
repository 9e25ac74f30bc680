import type { Route } from "../../src/core/routing/route.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import type { LeaseGrant } from "../../src/core/routing/lease.ts";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import type { TelemetryPush } from "../../src/controller/telemetry-push.ts";
import { KeyRing } from "../../src/plane/key-ring.ts";
import type { LeaseAsk } from "../../src/plane/lease.ts";
import type { Override } from "../../src/plane/plane.ts";
import type { Proof } from "../../src/plane/proof.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { SimulatedGateway } from "../controller/simulated-gateway.ts";
import type { Network } from "./network.ts";
import { NodeClock } from "./node-clock.ts";

const WINDOW_MS = 250;
const POLL_MS = 1_000;
const PUSH_TIMEOUT_MS = 5_000;
const WINDOWS_PER_PUSH = 200;
/** Users who come again and again, so that it is seen whether one of them is moved. */
const REGULARS = Array.from({ length: 6 }, (_, index) => `regular-${index}`);

export type Answer = { readonly kind: "taken"; readonly grant: LeaseGrant | null } | { readonly kind: "failed" };

/** Where a data plane's messages arrive. */
export interface ControllerEnd {
  /** The process that a request which leaves now is for; what it does not answer nobody does. */
  connect(): (push: TelemetryPush, answer: (said: Answer) => void) => void;
  current(): RoutingDocument | null;
}

/** Who is told what a data plane does. */
export interface PlaneWatch {
  adopted(node: PlaneNode, document: RoutingDocument): void;
  decided(node: PlaneNode, unit: string, route: Route): void;
  cut(node: PlaneNode, window: TelemetryWindow): void;
  acknowledged(gatewayId: string, seq: number, sentAtMs: number): void;
  /** @param sentAtMs when it asked, in the world's time */
  granted(node: PlaneNode, ask: LeaseAsk, grant: LeaseGrant, sentAtMs: number): void;
  /** A person's word at it ended. */
  followed(node: PlaneNode): void;
}

export interface PlaneWorld {
  readonly clock: Clock;
  readonly network: Network;
  readonly controller: ControllerEnd;
  readonly proof: Proof;
  readonly service: string;
  readonly watch: PlaneWatch;
  /** Whether an answer of the candidate at a share fails; drawn from the world's chance. */
  hasFailed(document: RoutingDocument): boolean;
  readonly requestsAWindow: number;
}

/** A push that waits for its answer. */
interface Sent {
  readonly gateway: SimulatedGateway;
  readonly lastSeq: number;
  readonly ask: LeaseAsk;
  /** In the world's time. */
  readonly sentAtMs: number;
}

/**
 * A data plane on its machine: serves users, pushes what it counted and hears documents, as the gateway's control link
 * does, over a network that may do anything to it. A restart is a new start of the same plane.
 */
export class PlaneNode {
  readonly id: string;
  readonly clock: NodeClock;
  gateway!: SimulatedGateway;
  isUp = false;
  readonly #world: PlaneWorld;
  #starts = 0;
  #users = 0;
  #nonces = 0;
  #inFlight: object | null = null;
  #kept: RoutingDocument | null = null;
  #override: Override | null = null;
  #isOver = false;

  constructor(id: string, world: PlaneWorld) {
    this.id = id;
    this.#world = world;
    this.clock = new NodeClock(world.clock);
  }

  /** Begins a new start of the plane; the loops of the one before end by themselves. */
  start(): void {
    const { service, proof, watch } = this.#world;
    const start = ++this.#starts;
    const document = this.#kept === null ? {} : { document: this.#kept };
    const gateway = new SimulatedGateway(`${this.id}.${start}`, service, this.clock, "-", new KeyRing("unsigned"), {
      planeId: this.id,
      proof,
      ...document,
      override: this.#override,
      onAdopt: (adopted) => {
        this.#kept = adopted;
        watch.adopted(this, adopted);
      },
      onOverride: (override) => {
        if (this.#override !== null && override === null) watch.followed(this);
        this.#override = override;
      },
    });
    gateway.reshape = (window) => {
      watch.cut(this, window);
      return window;
    };
    this.gateway = gateway;
    this.isUp = true;
    this.#inFlight = null;
    void this.#serve(start);
    void this.#poll(start);
  }

  /** Ends the process at once: what it counted and did not push is lost. */
  async restart(downMs: number, keeps: "newest" | "nothing"): Promise<void> {
    if (!this.isUp) return;
    this.isUp = false;
    if (keeps === "nothing") this.#kept = null;
    await this.#world.clock.sleep(downMs);
    if (!this.#isOver) this.start();
  }

  stop(): void {
    this.#isOver = true;
    this.isUp = false;
  }

  /** What came down the stream; duplicates, old ones and late ones among it. */
  async hear(text: string): Promise<void> {
    const { gateway } = this;
    if (!this.isUp) return;
    if (this.clock.stands) await this.clock.sleep(0);
    if (gateway !== this.gateway || !this.isUp) return;
    await gateway.plane.offer(text);
    this.#push(); // The controller waits to hear what is adopted now.
  }

  #runs(start: number): boolean {
    return this.isUp && start === this.#starts;
  }

  async #serve(start: number): Promise<void> {
    for (;;) {
      await this.clock.sleep(WINDOW_MS);
      if (!this.#runs(start)) return;
      this.#answerUsers();
      this.gateway.plane.cut();
      this.#push();
    }
  }

  #answerUsers(): void {
    const { watch, hasFailed, requestsAWindow } = this.#world;
    const { gateway } = this;
    for (const unit of REGULARS) watch.decided(this, unit, gateway.decide(unit));
    for (let request = 0; request < requestsAWindow; request++) {
      const unit = `${this.id}-user-${this.#users++}`;
      const route = gateway.decide(unit);
      watch.decided(this, unit, route);
      const isCandidate = route.target.releaseId === gateway.document.arms.candidate?.releaseId;
      gateway.count(route, isCandidate && hasFailed(gateway.document));
    }
  }

  /** Asks for the document in force, and takes it where it is another one than the last answer. */
  async #poll(start: number): Promise<void> {
    const { network, controller } = this.#world;
    let answered: RoutingDocument | null = null;
    for (;;) {
      await this.clock.sleep(POLL_MS);
      if (!this.#runs(start)) return;
      network.send(this.id, "up", () => {
        const current = controller.current();
        if (current === null || current === answered) return;
        network.send(this.id, "down", () => {
          answered = current;
          void this.hear(JSON.stringify(current));
        });
      });
    }
  }

  /** One push at a time; what is not acknowledged is sent again. */
  #push(): void {
    const { network, controller, service } = this.#world;
    const { gateway } = this;
    if (this.#inFlight !== null) return;
    const windows = gateway.waiting.slice(0, WINDOWS_PER_PUSH);
    const last = windows.at(-1);
    if (last === undefined) return;
    const { gatewayId } = gateway;
    const { report, ask } = gateway.plane.report(`${gatewayId}-${this.#nonces++}`, false);
    const { epoch, seq, lease } = ask.document;
    const push = { service, gatewayId, windows, adopted: { epoch, seq }, report, version: 2 };
    const flight = {};
    this.#inFlight = flight;
    const sentAtMs = this.#world.clock.monoMs();
    const answered = (said: Answer): void => {
      if (this.#inFlight === flight) void this.#answered(flight, { gateway, lastSeq: last.seq, ask, sentAtMs }, said);
    };
    const take = controller.connect();
    network.send(this.id, "up", () => take(push, (said) => network.send(this.id, "down", () => answered(said))));
    const patienceMs = Math.min(PUSH_TIMEOUT_MS, (lease?.ms ?? Number.POSITIVE_INFINITY) / 3);
    void this.clock.sleep(patienceMs).then(() => answered({ kind: "failed" }));
  }

  async #answered(flight: object, sent: Sent, said: Answer): Promise<void> {
    const { gateway, lastSeq, ask, sentAtMs } = sent;
    if (this.clock.stands) await this.clock.sleep(0);
    if (gateway !== this.gateway || this.#inFlight !== flight || !this.isUp) return;
    this.#inFlight = null;
    if (said.kind === "failed") return;
    gateway.waiting = gateway.waiting.filter(({ seq }) => seq > lastSeq);
    this.#world.watch.acknowledged(gateway.gatewayId, lastSeq, sentAtMs);
    if (said.grant === null) return;
    this.#world.watch.granted(this, ask, said.grant, sentAtMs);
    await gateway.plane.hear(ask, said.grant);
  }
}
