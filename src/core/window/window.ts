import type { ByArm } from "../arm.ts";
import type { SegmentLabel } from "../routing/segments.ts";
import type { Bp, EpochMs } from "../unit.ts";
import type { ShadowWindow } from "./shadow-window.ts";
import { type Signal, SIGNALS } from "./signals.ts";
import type { SparseBins } from "./sketch.ts";

/**
 * Class of a failure, `stage|family|code`: stage is connect, tls, headers, body or tool; family is `5xx`, `timeout` or
 * `network`; code is the status or error code. Example: `headers|5xx|503`, `body|network|ECONNRESET`.
 * @source definitions.md §8
 */
export type ErrorClass = string;

/**
 * Things a service counts beside its answers, per arm. A name that is present with 0 was watched and did not happen; an
 * absent one was not watched, which is no data.
 */
export const COUNTERS = [
  /** Lookups in the arm's cache namespace, and how many of them hit (CA-15, GQ-24). */
  "cacheLookups",
  "cacheHits",
  /** Reads of an entry the other arm wrote, and purges that touched both namespaces (CA-8, CA-11). */
  "cacheCollisions",
  /** Deliveries after the first of their key, and how many of them were suppressed (GQ-29). */
  "repeatDeliveries",
  "suppressedDeliveries",
  /** Effects that were applied (ID-9). */
  "effects",
  /** Effects applied a second time, and accepted writes that were not applied (I6, I7). */
  "duplicateEffects",
  "lostWrites",
  /** Requests of a unit answered by another arm than its assignment (RT-8). */
  "stickyViolations",
  /** Traces in which a tool was called with the same arguments three times (TE-16). */
  "toolLoops",
  /** Further tries: of a webhook's delivery, and of a request that its first endpoint failed (TE-9). */
  "retries",
] as const;
export type Counter = (typeof COUNTERS)[number];

/** Levels a service measures now and then, and what answers were told to be, per arm: of both the mean is judged. */
export const GAUGES = ["queueAgeP95Ms", "queueBacklog", "instanceConcurrency", ...SIGNALS] as const;
export type Gauge = (typeof GAUGES)[number];

/** Times that only a service knows: its stages (TE-5), and how old what waits in its queue is (TE-13). */
export const TIMINGS = ["retrieve", "rerank", "reason", "queueAge"] as const;
export type Timing = (typeof TIMINGS)[number];

/** Readings of a gauge in one window: their sum and how many there were; the mean is what is judged. */
export interface GaugeSum {
  readonly sum: number;
  readonly readings: number;
}

/**
 * What one arm answered in one window. User traffic only: probes and warm pings are counted apart and never judged.
 * "Evidence" counts leave out what one unit sent beyond 20 requests a minute, so that one busy unit cannot decide a
 * gate; `All` counts leave out nothing.
 */
export interface ArmWindow {
  readonly requests: number;
  readonly failures: number;
  readonly requestsAll: number;
  readonly failuresAll: number;
  /** Failures of evidence requests by class; values sum to `failures`. */
  readonly classes: Readonly<Record<ErrorClass, number>>;
  /** Total latency of warm evidence requests that did not fail. */
  readonly warm: SparseBins;
  /** The same for requests the service marked as cold starts. */
  readonly cold: SparseBins;
  /** Probe and warm-ping requests (`x-warm`, probe pins). */
  readonly probes: number;
  /** Units this gateway had not yet seen on the service in this epoch. */
  readonly newUnits: number;
  readonly counters: Readonly<Partial<Record<Counter, number>>>;
  readonly gauges: Readonly<Partial<Record<Gauge, GaugeSum>>>;
  /** Times a service told, in milliseconds, for people; no gate reads them. Absent where none was told. */
  readonly timings?: Readonly<Partial<Record<Timing, SparseBins>>>;
}

/**
 * Which units met what in one window: only of drawn units (reason `sticky`) and of evidence requests. Flat lists,
 * because a busy window has thousands of units.
 */
export interface UnitWindow {
  /** Units with names below this are listed, of both arms alike; 2^32 when all are. */
  readonly below: number;
  /** The same for `failing`, which is shorter and so bounded later. */
  readonly failingBelow: number;
  readonly arms: ByArm<UnitLists>;
  /** The same by segment; absent where the document tells none apart. */
  readonly segments?: SegmentWindow;
  /** What their answers were told to be; absent where the document asks for nothing. */
  readonly signals?: SignalWindow;
}

/** Which units were told what of their answers in one window, of the same requests. */
export interface SignalWindow {
  readonly below: number;
  readonly metBelow: number;
  /** Those the document asks for, in its order. */
  readonly names: readonly Signal[];
  readonly arms: ByArm<SignalLists>;
}

/** One arm's units by signal. */
export interface SignalLists {
  /** Four numbers a unit and signal: name, place of the signal in `names`, answers that told, their sum. */
  readonly rows: readonly number[];
  /** Three numbers a unit and event it met: name, share that routed it in bp, place of the signal. */
  readonly met: readonly number[];
}

/** Which units of which segments met what in one window, of the same requests. */
export interface SegmentWindow {
  readonly below: number;
  readonly failingBelow: number;
  /** Largest first, whatever arm served them; the rest is in one `other` for each way of telling apart. */
  readonly labels: readonly SegmentLabel[];
  readonly arms: ByArm<SegmentLists>;
}

/** One arm's units by segment. */
export interface SegmentLists {
  /** Four numbers a unit and segment: name, place of the segment in `labels`, requests, failures. */
  readonly rows: readonly number[];
  /** Three numbers a unit and segment it failed in: name, share that routed it in bp, place of the segment. */
  readonly failing: readonly number[];
}

/** One arm's units. */
export interface UnitLists {
  /** Six numbers a unit: name, share that routed it in bp, requests, failures, warm answers, slow ones among those. */
  readonly rows: readonly number[];
  /**
   * Three numbers a unit and class it failed with: name, share in bp, place of the class in the window's sorted
   * classes.
   */
  readonly failing: readonly number[];
}

/** Numbers of one entry of `rows` and of `failing`. */
export const UNIT_ROW = 6;
export const FAILING_ROW = 3;
/** The same of `SegmentLists`. */
export const SEGMENT_ROW = 4;
export const SEGMENT_FAILING_ROW = 3;
/** The same of `SignalLists`. */
export const SIGNAL_ROW = 4;
export const SIGNAL_MET_ROW = 3;

/**
 * One gateway's traffic between two instants under one routing document. Idempotent by (gatewayId, seq); seq grows by
 * one for each window, so a gap is a lost window.
 */
export interface TelemetryWindow {
  readonly gatewayId: string;
  readonly service: string;
  readonly seq: number;
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
  /** The document in force during the whole window; a document change closes the window. */
  readonly document: { readonly epoch: number; readonly seq: number };
  readonly candidateBp: Bp;
  readonly arms: ByArm<ArmWindow>;
  /** Answers the gateway made itself (bad gateway, timeout, draining), own 4xx rules excepted, and bodies it cut. */
  readonly gatewayFailures: number;
  /** Absent where nobody tells units apart. */
  readonly units?: UnitWindow;
  /** Absent where no request was chosen to be copied. */
  readonly shadow?: ShadowWindow;
}

export const EMPTY_ARM_WINDOW: ArmWindow = {
  requests: 0,
  failures: 0,
  requestsAll: 0,
  failuresAll: 0,
  classes: {},
  warm: [],
  cold: [],
  probes: 0,
  newUnits: 0,
  counters: {},
  gauges: {},
};

/**
 * Sizes a window may not exceed. `namedClasses` leaves room for one class `other` of each stage, so that a recorder at
 * its cap stays within `classes`.
 */
export const WINDOW_LIMITS = {
  bytes: 262_144,
  classes: 64,
  namedClasses: 59,
  bins: 4_096,
  /** Units listed for one arm, and failing ones. */
  units: 1_000,
  failing: 1_000,
  /** Segments named in one window, and units listed with one for one arm. */
  segments: 64,
  segmentUnits: 1_000,
  /** Units and signals listed together for one arm, and units and events. */
  signalRows: 2_000,
  signalMet: 500,
  count: 1_000_000_000,
} as const;
