import type { Bp } from "../unit.ts";
import type { TrafficStage } from "../stage/plan.ts";
import { type LatencyShape, onePeak } from "../stats/latency-shape.ts";

/** The traffic a forecast assumes: base failure rate and spread of warm latency (sigma of the logarithm). */
export interface Assumptions {
  readonly requestsPerSecond: number;
  readonly failureRate: number;
  readonly latencySigma: number;
  /** Where latency has several peaks, as with cached answers beside others; then the spread alone says nothing. */
  readonly latencyPeaks?: LatencyShape | undefined;
  /** How often the metric that a gate reads is read, in milliseconds; 0 where it reads none. */
  readonly readingEveryMs?: number;
}

/** How latency is assumed to be distributed. */
export function latencyShapeOf({ latencySigma, latencyPeaks }: Assumptions): LatencyShape {
  return latencyPeaks ?? onePeak(latencySigma);
}

/** What one kind of gate knows about its own needs. */
export interface Needs {
  readonly needsSamples: number | null;
  /** Time it takes whatever the traffic, in seconds. */
  readonly leastS?: number;
  readonly detectable: string;
  readonly falseStop?: number;
  /** Why it never decides, as a sentence, and what to do about it. */
  readonly never?: string;
  readonly fix?: string;
}

/** Part of the requests that the candidate gets. */
export function shareOf(stage: TrafficStage): number {
  return Math.min(0.9999, stage.candidateBp / 10_000);
}

/** A share that is ordered now, as reckonings want it: strictly between 0 and 1, where both arms have some traffic. */
export function innerShare(candidateBp: Bp): number {
  return Math.min(0.999, Math.max(0.0001, candidateBp / 10_000));
}

/** Candidate requests until both arms have `minSamples`: above 50 % it is stable that is waited for. */
export function bothArms(minSamples: number, candidateShare: number): number {
  return Math.ceil(Math.max(minSamples, (minSamples * candidateShare) / (1 - candidateShare)));
}
