import type { ServingArm } from "../../src/core/arm.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import { type Route, type RouteTable, route } from "../../src/core/routing/route.ts";
import { bp } from "../../src/core/unit.ts";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import { KeyRing } from "../../src/plane/key-ring.ts";
import { sharedSecretProof } from "../../src/plane/proof.ts";
import { RecordedPlane, type RecordedPlaneOptions } from "../../src/plane/recorded-plane.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { aPlan } from "../builders.ts";

/** Spread, because a gate that compares quantiles proves nothing about requests that all took equally long. */
const LATENCIES_MS = Array.from({ length: 20 }, (_, index) => 40 * 1.08 ** index);

/** What a data plane serves before anybody has published: everything to stable. */
function firstDocument(service: string): RoutingDocument {
  const { arms, identity } = aPlan();
  const { releaseId, endpoints, cachePrefix } = arms.stable;
  return {
    version: 1,
    service,
    epoch: 0,
    seq: 0,
    rolloutId: null,
    arms: { stable: { releaseId, endpoints, cachePrefix }, candidate: null },
    candidateBp: bp(0),
    sticky: { hash: "v1", seed: 0, ttlMs: 0 },
    identity,
    allow: [],
    closed: [],
    drainMs: 0,
    issuedAt: 0 as RoutingDocument["issuedAt"],
  };
}

/**
 * A real data plane without a socket: decides each simulated request by its document and counts it, and sends each
 * window again until it is acknowledged. What it served is the truth a controller's counts are compared with.
 */
export class SimulatedGateway {
  readonly gatewayId: string;
  readonly plane: RecordedPlane<RouteTable>;
  requestsAWindow = 50;
  failureShare = 0;
  /** Least share of the candidate at which it fails at all, as under load. */
  failsFromBp = 0;
  waiting: TelemetryWindow[] = [];
  /** What a test lets this data plane report instead of a window it counted. */
  reshape: (window: TelemetryWindow) => TelemetryWindow = (window) => window;
  /** The window of the last quarter in which it served. */
  lastWindow: TelemetryWindow | null = null;
  served = { stable: 0, candidate: 0 };
  copied = 0;
  readonly adopted: (readonly [epoch: number, seq: number, candidateBp: number])[] = [];
  readonly #clock: Clock;
  #unit = 0;
  #answers = 0;

  /**
   * @param keys of its controller; by default it looks at no signature
   * @param over what a restarted one begins with: its name from before, the document it kept, its owner's proof
   */
  constructor(
    gatewayId: string,
    service: string,
    clock: Clock,
    secret: string,
    keys = new KeyRing("unsigned"),
    over: Partial<
      Pick<RecordedPlaneOptions<RouteTable>, "planeId" | "document" | "proof" | "override" | "onAdopt" | "onOverride">
    > = {},
  ) {
    this.gatewayId = gatewayId;
    this.#clock = clock;
    this.plane = new RecordedPlane({
      gatewayId,
      clock,
      document: firstDocument(service),
      planeId: gatewayId,
      keys,
      proof: sharedSecretProof(secret),
      prepare: (table) => table,
      onWindow: (window) => void this.waiting.push(this.reshape(window)),
      ...over,
      onAdopt: (document) => {
        const { epoch, seq, candidateBp } = document;
        this.adopted.push([epoch, seq, candidateBp]);
        over.onAdopt?.(document);
      },
    });
  }

  get document(): RoutingDocument {
    return this.plane.document;
  }

  get epochSeq(): { readonly epoch: number; readonly seq: number } {
    const { epoch, seq } = this.document;
    return { epoch, seq };
  }

  /** Answers one window's requests, each of a user never seen before, exactly by the share in force. */
  serve(): void {
    const { candidateBp } = this.document;
    const { choice } = this.plane.planAt(this.#clock.monoMs());
    const isOpen = choice.kind === "both" || choice.target.arm === "candidate";
    const candidate = isOpen ? Math.round((this.requestsAWindow * candidateBp) / 10_000) : 0;
    const open = { stable: this.requestsAWindow - candidate, candidate };
    const failing = candidateBp < this.failsFromBp ? 0 : Math.round(candidate * this.failureShare);
    while (open.stable + open.candidate > 0) this.#answer(open, failing);
    this.#mirror();
    this.plane.cut();
    this.lastWindow = this.waiting.at(-1) ?? null;
  }

  /** Answers of a candidate to copies of this window's requests, each of another user. */
  #mirror(): void {
    const { shadow } = this.document;
    const { choice } = this.plane.planAt(this.#clock.monoMs());
    if (shadow === undefined || choice.kind === "both" || choice.reason !== "shadow") return;
    const copies = Math.round((this.requestsAWindow * shadow.shareBp) / 10_000);
    for (let copy = 0; copy < copies; copy++) {
      const hasFailed = copy < copies * this.failureShare;
      const ms = LATENCIES_MS[this.#answers++ % LATENCIES_MS.length] ?? 1;
      this.copied++;
      this.plane.recorder.shadow.choose();
      this.plane.recorder.shadow.pair({
        key: Math.imul(this.copied, 0x9e3779b1) >>> 0,
        hasStableFailed: false,
        errorClass: hasFailed ? "headers|5xx|503" : null,
        isOtherStatus: hasFailed,
        ms: hasFailed ? null : { stable: ms, candidate: ms },
      });
    }
  }

  async hear(document: RoutingDocument | null): Promise<void> {
    if (document !== null) await this.plane.offer(JSON.stringify(document));
  }

  /** What a request of this user meets now; nothing is counted. */
  decide(unit: string): Route {
    return route(this.plane.planAt(this.#clock.monoMs()), unit, null, null);
  }

  /** Asks for the next user; one whose arm has answered all it should comes another day. */
  #answer(open: Record<ServingArm, number>, failing: number): void {
    const decision = this.decide(`user-${this.#unit++}`);
    const { arm } = decision;
    if (open[arm] === 0) return;
    open[arm]--;
    this.count(decision, arm === "candidate" && open.candidate < failing);
  }

  /** Counts the answer to a request that was decided so. */
  count(decision: Route, hasFailed: boolean): void {
    const { hash } = decision;
    this.served[decision.arm]++;
    const { recorder } = this.plane;
    const latencyMs = LATENCIES_MS[this.#answers++ % LATENCIES_MS.length] ?? null;
    const errorClass = hasFailed ? "headers|5xx|503" : null;
    recorder.record(
      recorder.arrive(decision),
      hash,
      "warm",
      hasFailed ? null : latencyMs,
      errorClass,
      this.#clock.monoMs(),
    );
  }
}
