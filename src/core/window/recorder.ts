import type { ByArm, ServingArm } from "../arm.ts";
import { assert } from "../assert.ts";
import type { RoutingDocument } from "../routing/document.ts";
import type { Route } from "../routing/route.ts";
import type { EpochMs } from "../unit.ts";
import { otherClassOf } from "./error-class.ts";
import { LatencySketch } from "./sketch.ts";
import { UnitBudget } from "./unit-budget.ts";
import { UnitSet } from "./unit-set.ts";
import { type ArmWindow, type ErrorClass, type TelemetryWindow, WINDOW_LIMITS } from "./window.ts";

/** Whom an answer was for: a user on a warm or a cold instance, or a probe or warm ping. */
export type Traffic = "warm" | "cold" | "probe";

/** What one arm answered since the last cut. Taken when a request is routed and kept until it ended. */
export class ArmSlot {
  readonly #classes = new Map<ErrorClass, number>();
  readonly #warm = new LatencySketch();
  readonly #cold = new LatencySketch();
  #requests = 0;
  #failures = 0;
  #requestsAll = 0;
  #failuresAll = 0;
  #probes = 0;
  #newUnits = 0;

  countProbe(): void {
    this.#probes++;
  }

  countNewUnit(): void {
    this.#newUnits++;
  }

  countUser(cold: boolean, latencyMs: number | null, errorClass: ErrorClass | null, isEvidence: boolean): void {
    this.#requestsAll++;
    if (errorClass !== null) this.#failuresAll++;
    if (!isEvidence) return;
    this.#requests++;
    if (errorClass !== null) this.#countFailure(errorClass);
    else if (latencyMs !== null) (cold ? this.#cold : this.#warm).record(latencyMs);
  }

  /** Returns the counts and starts again at zero. Classes are sorted, so that equal traffic has equal text. */
  drain(): ArmWindow {
    const window: ArmWindow = {
      requests: this.#requests,
      failures: this.#failures,
      requestsAll: this.#requestsAll,
      failuresAll: this.#failuresAll,
      classes: Object.fromEntries([...this.#classes].sort(([a], [b]) => (a < b ? -1 : 1))),
      warm: this.#warm.drain(),
      cold: this.#cold.drain(),
      probes: this.#probes,
      newUnits: this.#newUnits,
      counters: {},
      gauges: {},
    };
    this.#requests = this.#failures = this.#requestsAll = this.#failuresAll = this.#probes = this.#newUnits = 0;
    this.#classes.clear();
    return window;
  }

  #countFailure(errorClass: ErrorClass): void {
    this.#failures++;
    const isKnown = this.#classes.has(errorClass) || this.#classes.size < WINDOW_LIMITS.namedClasses;
    const counted = isKnown ? errorClass : otherClassOf(errorClass);
    this.#classes.set(counted, (this.#classes.get(counted) ?? 0) + 1);
  }
}

/**
 * Aggregates one gateway's traffic into windows. Reads no clock: times are arguments.
 *
 * A request is counted when it ended, for the release that answered it: when a document changes, an arm's slot stays
 * with its release, also across the swap of a promotion. What a release answers after it left the document is no longer
 * counted; it takes part in no decision.
 */
export class Recorder {
  readonly #gatewayId: string;
  readonly #budget = new UnitBudget();
  readonly #units = new UnitSet();
  #document: RoutingDocument;
  #slots: ByArm<ArmSlot> = { stable: new ArmSlot(), candidate: new ArmSlot() };
  #seq = 0;
  #startMs: EpochMs;
  #gatewayFailures = 0;

  constructor(options: RecorderOptions) {
    this.#gatewayId = options.gatewayId;
    this.#document = options.document;
    this.#startMs = options.startMs;
  }

  /** The slot of an arm under the document in force; for probes and warm pings. */
  slotOf(arm: ServingArm): ArmSlot {
    return this.#slots[arm];
  }

  /**
   * Counts the arrival of a user request and returns the slot of its arm. Units are counted when they arrive, because
   * only then the share in force is the one they were drawn at; only drawn ones are (reason `sticky`), since the
   * sample-ratio test is about the draw.
   */
  arrive(route: Route): ArmSlot {
    const slot = this.#slots[route.arm];
    if (route.reason === "sticky" && route.hash !== null && this.#units.add(route.hash)) slot.countNewUnit();
    return slot;
  }

  /**
   * Counts a request that ended.
   * @param hash       bucket hash of the unit; null without a unit, which has no cap
   * @param latencyMs  total latency; null when the client went away, which says nothing about the arm
   * @param errorClass class of the failure; null when the arm did not fail
   * @param atMs       when it ended
   */
  record(
    slot: ArmSlot,
    hash: number | null,
    traffic: Traffic,
    latencyMs: number | null,
    errorClass: ErrorClass | null,
    atMs: number,
  ): void {
    if (traffic === "probe") slot.countProbe();
    else slot.countUser(traffic === "cold", latencyMs, errorClass, hash === null || this.#budget.spend(hash, atMs));
  }

  /** Counts an answer the gateway made itself, or a body it cut. */
  countGatewayFailure(): void {
    this.#gatewayFailures++;
  }

  /** Closes the window and begins the next one. A time before the window's start ends it at its start. */
  cut(nowMs: EpochMs): TelemetryWindow {
    const endMs = nowMs > this.#startMs ? nowMs : this.#startMs;
    const { service, epoch, seq, candidateBp } = this.#document;
    const window: TelemetryWindow = {
      gatewayId: this.#gatewayId,
      service,
      seq: this.#seq,
      startMs: this.#startMs,
      endMs,
      document: { epoch, seq },
      candidateBp,
      arms: { stable: this.#slots.stable.drain(), candidate: this.#slots.candidate.drain() },
      gatewayFailures: this.#gatewayFailures,
    };
    this.#seq++;
    this.#startMs = nowMs;
    this.#gatewayFailures = 0;
    return window;
  }

  /** Closes the window under the old document and goes on under the new one. Call it in the tick that swaps the table. */
  adopt(document: RoutingDocument, nowMs: EpochMs): TelemetryWindow {
    assert(document.service === this.#document.service, `one recorder, one service: ${document.service}`);
    const window = this.cut(nowMs);
    if (document.epoch !== this.#document.epoch) {
      this.#units.clear();
      this.#budget.clear();
    }
    this.#slots = slotsFor(document, this.#document, this.#slots);
    this.#document = document;
    return window;
  }
}

/** A recorder's beginning: who records (unique for each start of a process), under which document, since when. */
export interface RecorderOptions {
  readonly gatewayId: string;
  readonly document: RoutingDocument;
  readonly startMs: EpochMs;
}

/** Starts recording. The first window has seq 0. */
export function createRecorder(options: RecorderOptions): Recorder {
  return new Recorder(options);
}

function slotsFor(next: RoutingDocument, previous: RoutingDocument, slots: ByArm<ArmSlot>): ByArm<ArmSlot> {
  const [was, is] = [releases(previous), releases(next)];
  const stays = (arm: ServingArm) => is[arm] !== null && is[arm] === was[arm];
  const pick = (arm: ServingArm, other: ServingArm): ArmSlot => {
    if (stays(arm)) return slots[arm];
    return is[arm] !== null && is[arm] === was[other] && !stays(other) ? slots[other] : new ArmSlot();
  };
  return { stable: pick("stable", "candidate"), candidate: pick("candidate", "stable") };
}

function releases(document: RoutingDocument): ByArm<string | null> {
  return { stable: document.arms.stable.releaseId, candidate: document.arms.candidate?.releaseId ?? null };
}
