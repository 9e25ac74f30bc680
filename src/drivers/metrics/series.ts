import { type EpochMs, epochMs } from "../../core/unit.ts";
import type { MetricOrder, MetricReading } from "../../ports/metric-source.ts";
import { CLOCK_SKEW_MS, judgeAge } from "./age.ts";
import { quote } from "./document.ts";

/** One point of a series. */
export interface Point {
  /** When the interval it stands for began, ms since the epoch; for a sample, when it was taken. */
  readonly startMs: number;
  /** When that interval ends; for a sample, `startMs`. */
  readonly endMs: number;
  /** As the server wrote it: null where it has nothing, and unchecked otherwise. */
  readonly value: unknown;
}

type NoValue = Exclude<MetricReading, { kind: "value" }>;

/** How far back a source asks beyond the age that is allowed, so that a stale series is told from an absent one. */
const LOOKBACK_MS = 600_000;

/** The time from which on points are asked for. */
export const lookbackMs = ({ maxAgeMs }: MetricOrder, now: EpochMs): number => now - maxAgeMs - LOOKBACK_MS;

/** What more or fewer than one series means; null for exactly one. */
export function judgeCount(count: number): NoValue | null {
  if (count === 0) return { kind: "no-data", reason: "the answer holds no series" };
  if (count === 1) return null;
  return { kind: "error", reason: `found ${count} series, expected one; aggregate them in the query` };
}

/**
 * The newest number of one series. An interval that still runs is left out: half a minute of errors is no minute of
 * them. Nulls are passed over, because a server that is late writes them first; how old a number may be is judged by
 * the end of its interval. A point that holds anything else than a finite number or null is an error when it is the
 * newest.
 */
export function readSeries(points: readonly Point[], order: MetricOrder, now: EpochMs): MetricReading {
  const broken = points.find(({ startMs, endMs }) => !(startMs >= 0 && endMs >= startMs));
  if (broken !== undefined) return { kind: "error", reason: `a point has the time ${quote(broken.startMs)}` };
  const told = points.filter(({ value }) => value !== null).sort((a, b) => b.startMs - a.startMs);
  const ahead = told.find(({ startMs }) => startMs > now + CLOCK_SKEW_MS);
  if (ahead !== undefined) return judgeAge("a point", ahead.startMs, order, now) ?? noWholePoint(points);
  const newest = told.find(({ startMs, endMs }) => endMs === startMs || endMs <= now);
  if (newest === undefined) return noWholePoint(points);
  const { value, endMs } = newest;
  if (typeof value !== "number" || !Number.isFinite(value)) {
    const found = typeof value === "number" ? String(value) : `${quote(value)} (${typeof value})`;
    return { kind: "error", reason: `the newest point is ${found}, expected a finite number` };
  }
  return judgeAge("the newest point", endMs, order, now) ?? { kind: "value", value, atEpochMs: epochMs(endMs) };
}

function noWholePoint(points: readonly Point[]): NoValue {
  const nulls = points.filter(({ value }) => value === null).length;
  const reason = `the series has no number of an interval that has ended (${points.length} points, ${nulls} null)`;
  return { kind: "no-data", reason };
}

/** The shortest distance between times, taken for the length of an interval; null when there are fewer than two. */
export function stepMs(times: readonly number[]): number | null {
  const sorted = [...times].sort((a, b) => a - b);
  const steps = sorted.slice(1).map((time, index) => time - (sorted[index] ?? time));
  const positive = steps.filter((step) => step > 0);
  return positive.length === 0 ? null : Math.min(...positive);
}
