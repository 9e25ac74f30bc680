import type { LatencyShape } from "../../core/stats/latency-shape.ts";

export interface PlanOptions {
  readonly json: boolean;
  readonly detailedExitcode: boolean;
  /** Requests per second of the service today. */
  readonly rps: number;
  /** Users it has; null when nobody said. */
  readonly users: number | null;
  /** Share of its requests that fail today, and the spread of its latency: sigma of the logarithm. */
  readonly errorRate: number;
  readonly latencySigma: number;
  /** Its latency where it has several peaks; null: one peak of that spread. */
  readonly latencyPeaks: LatencyShape | null;
  readonly dataDir: string;
  readonly controller: string | null;
}
