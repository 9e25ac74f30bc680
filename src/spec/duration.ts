const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/**
 * Reads a duration such as `12s`, `1h30m` or `250ms` into milliseconds; null when it is not one. A bare number is not a
 * duration: 10 could be seconds or minutes, and the difference is an outage.
 * @source Kubernetes GEP-2257 "Duration format": one to four groups of up to five digits with unit h, m, s or ms.
 *   Units must descend here, so that `30m1h` is caught as the slip it is.
 */
export function parseDurationMs(text: string): number | null {
  if (!/^([0-9]{1,5}(h|ms|m|s)){1,4}$/.test(text)) return null;
  let totalMs = 0;
  let previousMs = Number.POSITIVE_INFINITY;
  for (const [, digits = "", unit = ""] of text.matchAll(/([0-9]{1,5})(h|ms|m|s)/g)) {
    const unitMs = UNIT_MS[unit] ?? 0;
    if (unitMs >= previousMs) return null;
    previousMs = unitMs;
    totalMs += Number(digits) * unitMs;
  }
  return totalMs;
}

/** Writes milliseconds the way documents do: `5400000` is `1h30m`, `0` is `0s`. */
export function formatDurationMs(ms: number): string {
  let restMs = Math.round(ms);
  let text = "";
  for (const [unit, unitMs] of Object.entries(UNIT_MS)) {
    const count = Math.floor(restMs / unitMs);
    if (count > 0) text += `${count}${unit}`;
    restMs -= count * unitMs;
  }
  return text === "" ? "0s" : text;
}
