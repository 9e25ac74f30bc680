import type { ByArm, ServingArm } from "../arm.ts";
import { assert } from "../assert.ts";
import type { RoutingDocument } from "../routing/document.ts";
import type { Route } from "../routing/route.ts";
import type { SegmentLabel } from "../routing/segments.ts";
import type { Bp, EpochMs } from "../unit.ts";
import { otherClassOf } from "./error-class.ts";
import { countBins, LatencySketch, mergeBins, quantileOf, type SparseBins } from "./sketch.ts";
import { ShadowLog } from "./shadow-log.ts";
import { UnitBudget } from "./unit-budget.ts";
import { UnitLog } from "./unit-log.ts";
import { UnitSet } from "./unit-set.ts";
import { SignalLog } from "./signal-log.ts";
import { onlyOf, type Signal, SIGNALS, type Told } from "./signals.ts";
import { ServiceWords } from "./service-words.ts";
import type { Signals } from "./service-event.ts";
import { type ArmWindow, type ErrorClass, type TelemetryWindow, WINDOW_LIMITS } from "./window.ts";

/** Whom an answer was for: a user on a warm or a cold instance, or a probe or warm ping. */
export type Traffic = "warm" | "cold" | "probe";

/** What one arm answered since the last cut. */
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
  readonly #words = new ServiceWords();

  countVisit(isViolation: boolean): void {
    this.#words.count("stickyViolations", isViolation ? 1 : 0);
  }

  hear(signals: Signals): void {
    this.#words.hear(signals);
  }

  /** @param asked absent: everything is */
  tell(told: Told, asked?: readonly Signal[]): void {
    this.#words.tell(asked === undefined ? told : onlyOf(told, asked));
  }

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
      ...this.#words.drain(),
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
 * Where a request is counted: taken when it is routed and kept until it ended, with the share that routed it, which is
 * what evidence by unit bets on.
 */
export interface Place {
  readonly arm: ServingArm;
  readonly slot: ArmSlot;
  readonly shareBp: Bp;
  /** Whether the arm was drawn by share; not so for pins, allow-lists, locks, probes and requests without a unit. */
  readonly isDrawn: boolean;
}

/** The places of one document, made once, so that a request allocates none. */
interface Places {
  readonly drawn: ByArm<Place>;
  readonly chosen: ByArm<Place>;
}

function placesFor(slots: ByArm<ArmSlot>, shareBp: Bp): Places {
  const place = (arm: ServingArm, isDrawn: boolean): Place => ({ arm, slot: slots[arm], shareBp, isDrawn });
  return {
    drawn: { stable: place("stable", true), candidate: place("candidate", true) },
    chosen: { stable: place("stable", false), candidate: place("candidate", false) },
  };
}

/** Warm answers of stable before its p95 tells slow answers from others; the last window's own are not among them. */
const SLOW_SAMPLES = 200;
/** After so many the oldest half is forgotten, so that the threshold follows the day. */
const SLOW_SAMPLES_MAX = 2_000;

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
  #shadow: ShadowLog | null = null;
  #slots: ByArm<ArmSlot> = { stable: new ArmSlot(), candidate: new ArmSlot() };
  #places: Places;
  #log: UnitLog;
  #asked: readonly Signal[];
  #recentWarm: SparseBins = [];
  #slowMs: number | null = null;
  #seq = 0;
  #startMs: EpochMs;
  #gatewayFailures = 0;

  constructor(options: RecorderOptions) {
    this.#gatewayId = options.gatewayId;
    this.#document = options.document;
    this.#startMs = options.startMs;
    this.#places = placesFor(this.#slots, options.document.candidateBp);
    this.#asked = askedBy(options.document);
    this.#log = logFor(options.document, this.#asked);
  }

  /** The place of an arm under the document in force; for probes and warm pings. */
  placeOf(arm: ServingArm): Place {
    return this.#places.chosen[arm];
  }

  /** The place of a unit that was drawn for an arm under the document in force, where nobody saw it arrive. */
  drawnPlaceOf(arm: ServingArm): Place {
    return this.#places.drawn[arm];
  }

  /**
   * Counts the arrival of a user request and returns its place. Units are counted when they arrive, because
   * only then the share in force is the one they were drawn at; only drawn ones are (reason `sticky`), since the
   * sample-ratio test is about the draw.
   */
  arrive(route: Route): Place {
    if (route.reason !== "sticky" || route.hash === null) return this.#places.chosen[route.arm];
    const place = this.#places.drawn[route.arm];
    if (this.#units.add(route.hash)) place.slot.countNewUnit();
    return place;
  }

  /**
   * Counts a request that ended.
   * @param hash       bucket hash of the unit; null without a unit, which has no cap
   * @param latencyMs  total latency; null when the client went away, which says nothing about the arm
   * @param errorClass class of the failure; null when the arm did not fail
   * @param atMs       when it ended
   * @param segments   labels read from the request before it was assigned; null where the document tells none apart
   * @returns whether it is evidence: not of a probe, and not beyond the unit's budget
   */
  record(
    place: Place,
    hash: number | null,
    traffic: Traffic,
    latencyMs: number | null,
    errorClass: ErrorClass | null,
    atMs: number,
    segments: readonly SegmentLabel[] | null = null,
  ): boolean {
    const { slot } = place;
    if (traffic === "probe") {
      slot.countProbe();
      return false;
    }
    const isEvidence = hash === null || this.#budget.spend(hash, atMs);
    slot.countUser(traffic === "cold", latencyMs, errorClass, isEvidence);
    if (hash === null || !isEvidence || !this.#isOfUnit(place)) return isEvidence;
    const warmMs = traffic === "warm" && errorClass === null ? latencyMs : null;
    this.#log.record(place.arm, hash, place.shareBp, { errorClass, warmMs }, this.#slowMs, segments);
    return true;
  }

  /** Counts what a recorded request's answer was told to be. Only for evidence, and where the document asks for it. */
  tell(place: Place, hash: number | null, told: Told): void {
    place.slot.tell(told, this.#asked);
    if (hash !== null && this.#isOfUnit(place)) this.#log.tell(place.arm, hash, place.shareBp, told);
  }

  /** Whether a place is of a unit that was drawn, for a release that still has its arm. */
  #isOfUnit({ arm, slot, isDrawn }: Place): boolean {
    return isDrawn && this.#slots[arm] === slot;
  }

  /**
   * Counts a request of a user of whom it is known where he was before: whether he was moved although no share moved
   * him. Whichever arm answered him, it is the candidate's rollout that did it.
   */
  countVisit(isViolation: boolean): void {
    this.#slots.candidate.countVisit(isViolation);
  }

  /** Counts what the service said of an answer. */
  hear(place: Place, signals: Signals): void {
    place.slot.hear(signals);
  }

  /** Where pairs are counted: requests of users that the candidate answers a second time, for nobody. */
  get shadow(): ShadowLog {
    this.#shadow ??= new ShadowLog();
    return this.#shadow;
  }

  /** Counts an answer the gateway made itself, or a body it cut. */
  countGatewayFailure(): void {
    this.#gatewayFailures++;
  }

  /** Closes the window and begins the next one. A time before the window's start ends it at its start. */
  cut(nowMs: EpochMs): TelemetryWindow {
    const endMs = nowMs > this.#startMs ? nowMs : this.#startMs;
    const { service, epoch, seq, candidateBp } = this.#document;
    const arms = { stable: this.#slots.stable.drain(), candidate: this.#slots.candidate.drain() };
    const classes = { stable: Object.keys(arms.stable.classes), candidate: Object.keys(arms.candidate.classes) };
    const units = this.#log.drain(classes, otherClassOf);
    const shadow = this.#shadow?.drain() ?? null;
    const window: TelemetryWindow = {
      gatewayId: this.#gatewayId,
      service,
      seq: this.#seq,
      startMs: this.#startMs,
      endMs,
      document: { epoch, seq },
      candidateBp,
      arms,
      gatewayFailures: this.#gatewayFailures,
      ...(units === null ? {} : { units }),
      ...(shadow === null ? {} : { shadow }),
    };
    this.#learnSlow(arms.stable.warm);
    this.#seq++;
    this.#startMs = nowMs;
    this.#gatewayFailures = 0;
    return window;
  }

  /**
   * Closes the window under the old document and goes on under the new one. Call it in the tick that swaps the table.
   */
  adopt(document: RoutingDocument, nowMs: EpochMs): TelemetryWindow {
    assert(document.service === this.#document.service, `one recorder, one service: ${document.service}`);
    const window = this.cut(nowMs);
    if (document.epoch !== this.#document.epoch) {
      this.#units.clear();
      this.#budget.clear();
    }
    if (document.rolloutId !== this.#document.rolloutId) this.#shadow = null; // Another candidate's pairs.
    const asked = askedBy(document);
    if (document.sticky.seed !== this.#document.sticky.seed || asked.join() !== this.#asked.join())
      this.#log = logFor(document, asked);
    this.#asked = asked;
    this.#slots = slotsFor(document, this.#document, this.#slots);
    this.#places = placesFor(this.#slots, document.candidateBp);
    this.#document = document;
    return window;
  }

  /** The threshold comes from earlier windows only, so that no arm's own answers set it. */
  #learnSlow(warm: SparseBins): void {
    this.#recentWarm = mergeBins(this.#recentWarm, warm);
    const count = countBins(this.#recentWarm);
    if (count >= SLOW_SAMPLES) this.#slowMs = quantileOf(this.#recentWarm, 0.95);
    if (count > SLOW_SAMPLES_MAX) this.#recentWarm = halveBins(this.#recentWarm);
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

function logFor({ sticky }: RoutingDocument, asked: readonly Signal[]): UnitLog {
  return new UnitLog(sticky.seed, asked.length === 0 ? null : new SignalLog(asked));
}

/** Signals of which this version knows what they are. */
function askedBy({ signals = [] }: RoutingDocument): readonly Signal[] {
  return SIGNALS.filter((signal) => signals.includes(signal));
}

function halveBins(bins: SparseBins): SparseBins {
  const halved: number[] = [];
  for (let at = 0; at < bins.length; at += 2) {
    const count = (bins[at + 1] as number) >> 1;
    if (count > 0) halved.push(bins[at] as number, count);
  }
  return halved;
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
