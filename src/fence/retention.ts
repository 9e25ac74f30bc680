const HOUR_MS = 3_600_000;

/** How long results are replayed, by what they answer. @source reliability.md, Semantics (ID-5) */
export const RETENTION_MS = {
  controlPlane: 7 * 24 * HOUR_MS,
  /** Floor for API writes; `apiWriteRetentionMs` raises it with the release window. */
  apiWrites: 72 * HOUR_MS,
  webhooks: 14 * 24 * HOUR_MS,
} as const;

/** Retention of API writes while a release is rolled out: max(72 h, release window + 24 h). */
export function apiWriteRetentionMs(releaseWindowMs: number): number {
  return Math.max(RETENTION_MS.apiWrites, releaseWindowMs + 24 * HOUR_MS);
}
