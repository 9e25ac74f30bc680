import type { EpochMs } from "../core/unit.ts";

/** One number of a metric, or why there is none. Nothing but `value` can ever help a release to pass. */
export type MetricReading =
  | { readonly kind: "value"; readonly value: number; readonly atEpochMs: EpochMs }
  /** The source answered, and has no fresh number: no series, an empty window, or older than `maxAgeMs`. */
  | { readonly kind: "no-data"; readonly reason: string }
  /** The source answered something that is not one number: NaN, infinity, several series, a wrong type. */
  | { readonly kind: "error"; readonly reason: string };

/** What is asked: a query in the source's own language, and how old its number may be. */
export interface MetricOrder {
  readonly query: string;
  readonly maxAgeMs: number;
}

/**
 * A place that holds numbers the windows of a gateway do not carry. A failed conversation throws `DriverError`; the
 * caller counts it as an `error` reading and asks again at the next interval.
 */
export interface MetricSource {
  readonly name: string;
  read(order: MetricOrder, now: EpochMs): Promise<MetricReading>;
}
