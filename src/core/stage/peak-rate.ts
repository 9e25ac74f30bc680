/** Requests a service answered in one hour of wall-clock time; `hour` counts from 1970. */
export interface HourCount {
  readonly hour: number;
  readonly requests: number;
}

export const HOURS_OF_HISTORY = 7 * 24;
const PEAK_QUANTILE = 0.9;

/**
 * Request rate per second from which an hour counts as a peak hour: p90 of the hourly rates of the last seven whole
 * days. An hour without a count had no requests. Null until seven days are known.
 * @param nowHour the hour that is going on; it is not whole and not counted
 * @source definitions.md §8 "Peak hour"
 */
export function peakRate(counts: readonly HourCount[], nowHour: number): number | null {
  const first = counts.reduce((least, { hour }) => Math.min(least, hour), Number.POSITIVE_INFINITY);
  const from = nowHour - HOURS_OF_HISTORY;
  if (first > from) return null;
  const requests = new Map(counts.map((count) => [count.hour, count.requests]));
  const week = Array.from({ length: HOURS_OF_HISTORY }, (_, index) => requests.get(from + index) ?? 0);
  week.sort((a, b) => a - b);
  return (week[Math.ceil(PEAK_QUANTILE * week.length) - 1] ?? 0) / 3_600;
}
