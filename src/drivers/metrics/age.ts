import type { EpochMs } from "../../core/unit.ts";
import type { MetricOrder, MetricReading } from "../../ports/metric-source.ts";

/** How far a sample may lie in the future before one of the two clocks counts as wrong. */
export const CLOCK_SKEW_MS = 5_000;

const MAX_DATE_MS = 8.64e15;

/** A time for people, UTC; a number beyond any calendar stays one. */
function timeText(atEpochMs: number): string {
  return Math.abs(atEpochMs) <= MAX_DATE_MS ? new Date(atEpochMs).toISOString() : `${atEpochMs} ms`;
}

/** What a time of a sample means: null when it is fresh; no-data when it is too old, error when it lies ahead. */
export function judgeAge(
  what: string,
  atEpochMs: number,
  { maxAgeMs }: Pick<MetricOrder, "maxAgeMs">,
  now: EpochMs,
): Exclude<MetricReading, { kind: "value" }> | null {
  const found = `${what} is of ${timeText(atEpochMs)} and now is ${timeText(now)}`;
  if (atEpochMs > now + CLOCK_SKEW_MS)
    return { kind: "error", reason: `${found}: more than ${CLOCK_SKEW_MS} ms ahead; set both clocks by NTP` };
  if (now - atEpochMs > maxAgeMs) return { kind: "no-data", reason: `${found}: older than the ${maxAgeMs} ms allowed` };
  return null;
}
