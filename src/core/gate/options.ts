import type { Bp } from "../unit.ts";

/**
 * A bound that tightens as more users are exposed: shares below 10 %, from 10 % to below 50 %, and from 50 % on.
 * @source decision-policy.md, "Margins"
 */
export interface ByShare {
  readonly under10: number;
  readonly under50: number;
  readonly from50: number;
}

/** The bound in force at a share. */
export function boundAt(bounds: ByShare, candidateBp: Bp): number {
  if (candidateBp < 1_000) return bounds.under10;
  return candidateBp < 5_000 ? bounds.under50 : bounds.from50;
}

/**
 * How a limit is read. `sequential`: harm must be proven and the margin excluded, valid under continuous looking.
 * `literal`: the point estimate of the stage against the limit, once `minSamples` are there; `plan` prints how often
 * that stops a healthy candidate. @source decision-policy.md, "Literal mode"
 */
export type Mode = "sequential" | "literal";

/** What a gate without data does: hold the stage, or stay out of the decision until the first data arrive. */
type OnNoData = "hold" | "skip";

export interface ErrorRateOptions {
  readonly mode: Mode;
  /** Promised probability of stopping a healthy candidate, over the whole rollout. */
  readonly alpha: number;
  /** Probability of calling harm beyond the margin excluded when it is not. */
  readonly beta: number;
  /** Absolute difference of failure shares that must be excluded before promotion; 0.01 is one point. */
  readonly margin: ByShare;
  /** Least candidate requests before promotion. */
  readonly minSamples: number;
}

export interface NewErrorClassOptions {
  /** A class seen only on the candidate counts as new when chance would explain it with at most this probability. */
  readonly alpha: number;
  /** Above this probability such a class is put down to chance; between the two the stage holds. */
  readonly beta: number;
}

export interface P95Options {
  readonly mode: Mode;
  readonly alpha: number;
  readonly beta: number;
  /** Ratio candidate/stable that is tolerated; harm is a higher one, proven or, in literal mode, estimated. */
  readonly harmRatio: number;
  /** Ratio that must be excluded before promotion. */
  readonly margin: ByShare;
  readonly minSamples: number;
  /** How long an arm may be slow or fast by itself: harm counts as proven once it outlasts such swings. */
  readonly swingMs: number;
}

/**
 * A share of requests or lookups against limits, in the unit of its gate: a share, a difference of shares, or a ratio.
 */
export interface LimitOptions {
  readonly mode: Mode;
  /** The estimate a stage may be left with. */
  readonly promote: number;
  /** Beyond this the candidate is stopped; between `promote` and `stop` the stage holds. Null: it never stops alone. */
  readonly stop: number | null;
  readonly alpha: number;
  readonly beta: number;
  /** Least observations of each arm that is compared. */
  readonly minSamples: number;
  readonly onNoData: OnNoData;
}

/** A hard rule over counted events. */
export interface EventLimitOptions {
  /** Events tolerated over the whole rollout. */
  readonly max: number;
  readonly onNoData: OnNoData;
}

export interface BurstOptions {
  /** Share of 5xx answers above which an interval belongs to a burst. */
  readonly limit: number;
  /** A burst longer than this stops. */
  readonly longestMs: number;
}

export interface QueueAgeSlopeOptions {
  readonly mode: Mode;
  /** Growth of the queue's age that a stage may be left with, in ms per second. */
  readonly promote: number;
  /** Length of one regression window, and how many rising ones in a row stop. */
  readonly windowMs: number;
  readonly windows: number;
  readonly onNoData: OnNoData;
}

export interface SampleRatioOptions {
  /** Promised probability of calling a right split wrong. */
  readonly alpha: number;
}

export interface PeakHourOptions {
  /** Request rate from which an hour counts as a peak hour: p90 of the last 7 days' hourly rates. Null: not known. */
  readonly requestsPerSecond: number | null;
  readonly lengthMs: number;
}

/** A number from outside against limits. Readings are points of a series, not samples: there is no sequential mode. */
export interface MetricOptions {
  readonly metric: string;
  readonly comparison: "absolute" | "difference" | "ratio";
  /** Whether a lower or a higher number is the better one. */
  readonly better: "lower" | "higher";
  readonly promote: number;
  readonly stop: number | null;
  /** Readings beyond `stop` in a row that stop; readings within `promote` in a row that promote. */
  readonly failures: number;
  readonly passes: number;
}

/** Rules written in CEL over both arms' traffic, the metrics and the stage. */
export interface CustomOptions {
  /** Must be true to leave a stage. */
  readonly pass: string;
  /** Stops when true; null for a rule that only holds. */
  readonly fail: string | null;
  /** Least candidate requests in the stage before either is asked. */
  readonly minSamples: number;
}

export interface DeltaSOptions {
  readonly mode: Mode;
  /** Calibrated median the candidate must not exceed, when stable itself meets it. */
  readonly limit: number;
  /** Calibrated median that stops the candidate, when stable's is below it. */
  readonly stop: number;
  /** Paired drift (candidate - stable) that must be excluded before promotion. */
  readonly driftMargin: ByShare;
  /** Paired drift that stops when proven. */
  readonly driftStop: number;
  /** Rise of the set's p95 that stops. */
  readonly p95DriftStop: number;
}

export interface CoverageOptions {
  readonly mode: Mode;
  /** Mean coverage the candidate must reach. */
  readonly level: number;
  /** Mean coverage that stops when even the interval's upper bound is below it. */
  readonly stop: number;
  /** Paired drop that must be excluded before promotion. */
  readonly dropMargin: ByShare;
  /** Paired drop that stops when proven. */
  readonly dropStop: number;
  /** A topic stops when its upper bound is below this, or its estimate below `topicFloor`. */
  readonly topicLevel: number;
  readonly topicFloor: number;
}

export interface LambdaOptions {
  readonly mode: Mode;
  /** `paired`: no worse than stable. `strict` and `loose`: also an absolute level (definitions.md §5). */
  readonly level: "paired" | "strict" | "loose";
  /** Rise of the flip rate and fall of the convergent share that must be excluded before promotion. */
  readonly margin: ByShare;
  /** Rise of the flip rate that stops when proven. */
  readonly increaseStop: number;
  /** Flip rate that stops, when stable's is lower. */
  readonly flipRateStop: number;
  /** Flipped phrasings one question may have; more of them stop in literal mode. Null: no rule for one question. */
  readonly maxFlipsPerQuestion: number | null;
}

export interface SchemaViolationOptions {
  /** Share of probe answers that may break the contract. */
  readonly maxShare: number;
}

type ParityOptions = Readonly<Record<string, never>>;

/** Options of every kind of gate by its name. The order is the one in which a cause is named. */
export interface GateOptions {
  readonly "schema-violation": SchemaViolationOptions;
  readonly parity: ParityOptions;
  readonly "sample-ratio": SampleRatioOptions;
  readonly "duplicate-effect": EventLimitOptions;
  readonly "write-loss": EventLimitOptions;
  readonly "sticky-violation": EventLimitOptions;
  readonly "cache-collision": EventLimitOptions;
  readonly "error-rate": ErrorRateOptions;
  readonly "error-rate-abs": LimitOptions;
  readonly "error-rate-rel": LimitOptions;
  readonly "five-xx-abs": LimitOptions;
  readonly "five-xx-delta": LimitOptions;
  readonly "five-xx-burst": BurstOptions;
  readonly "new-error-class": NewErrorClassOptions;
  readonly "tool-loop": EventLimitOptions;
  readonly "p95-warm": P95Options;
  readonly "p95-equal-load": P95Options;
  readonly "cold-share": LimitOptions;
  readonly "queue-age-slope": QueueAgeSlopeOptions;
  readonly "dedupe-miss": LimitOptions;
  readonly "cache-hit-drop": LimitOptions;
  readonly coverage: CoverageOptions;
  readonly "delta-s": DeltaSOptions;
  readonly lambda: LambdaOptions;
  readonly metric: MetricOptions;
  readonly custom: CustomOptions;
  readonly "peak-hour": PeakHourOptions;
}

export type GateName = keyof GateOptions;
