const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1_000, 60_000, 3_600_000];

/**
 * Waits before each attempt, the first one immediately. @source Standard Webhooks 1.0.0, Deliverability and reliability
 */
export const ATTEMPT_WAITS_MS: readonly number[] = [
  0,
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];

/** From the first attempt to the last, without jitter: 75 h 35 min 5 s. */
export const SENDER_HORIZON_MS = ATTEMPT_WAITS_MS.reduce((sum, waitMs) => sum + waitMs, 0);

/** A partner may ask us to wait this long at most; longer, and the last attempt would leave receivers' windows. */
const RETRY_AFTER_MAX_MS = 24 * HOUR_MS;
/** Share of a wait that chance adds or takes away, so that what failed together does not come back together. */
const JITTER = 0.1;

const HTTP_DATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * The wait a partner asks for, in ms from `nowMs`: whole seconds or an HTTP date; null when it asks for none or in a
 * form we do not know. A date that has passed is a wait of 0.
 * @source RFC 9110, sections 10.2.3 and 5.6.7
 */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * SECOND_MS, RETRY_AFTER_MAX_MS);
  const atMs = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? null : Math.min(Math.max(0, atMs - nowMs), RETRY_AFTER_MAX_MS);
}

/**
 * The wait after `attempts` failed ones: the schedule's, 10 % either way by chance; never less than the partner asked
 * for, then up to 10 % more. `draw` is uniform in [0, 1). Null: the schedule is over.
 */
export function waitMsAfter(attempts: number, askedMs: number | null, draw: number): number | null {
  const scheduledMs = ATTEMPT_WAITS_MS[attempts];
  if (scheduledMs === undefined) return null;
  const jitteredMs = scheduledMs * (1 - JITTER + 2 * JITTER * draw);
  return Math.round(Math.max(jitteredMs, (askedMs ?? 0) * (1 + JITTER * draw)));
}
