import { z } from "zod";
import { type EpochMs, epochMs } from "../../../core/unit.ts";
import type { MetricOrder, MetricReading } from "../../../ports/metric-source.ts";
import { judgeAge } from "../age.ts";
import { type Pointer, readPointer } from "../../../core/json-pointer.ts";

/** Below this an epoch in milliseconds lies before March 1973, so that it can only be one in seconds. */
const EPOCH_MS_MIN = 1e11;
const EPOCH_MS_MAX = 8.64e15;
const QUOTE_CHARS_MAX = 80;

const instant = z.iso.datetime({ offset: true });

type NoValue = Exclude<MetricReading, { kind: "value" }>;

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > QUOTE_CHARS_MAX ? `${text.slice(0, QUOTE_CHARS_MAX)}…` : text;
}

function parseJson(body: string): { readonly document: unknown } | null {
  try {
    return { document: JSON.parse(body) };
  } catch {
    return null;
  }
}

/** Epoch milliseconds, or ISO 8601 with a zone. Nothing is guessed: a time that could mean two moments is an error. */
function timeOf(found: unknown): EpochMs | NoValue {
  if (typeof found === "number" && found >= EPOCH_MS_MIN && found <= EPOCH_MS_MAX) return epochMs(found);
  const parsed = instant.safeParse(found);
  const atEpochMs = parsed.success ? Date.parse(parsed.data) : Number.NaN;
  if (atEpochMs >= 0) return epochMs(atEpochMs);
  const seconds = typeof found === "number" && found >= 0 && found < EPOCH_MS_MIN ? "; this looks like seconds" : "";
  const expected = "expected epoch milliseconds or ISO 8601 with a zone";
  return { kind: "error", reason: `its time is ${quote(found)}, ${expected}${seconds}` };
}

function numberOf(query: string, found: unknown): number | NoValue {
  if (typeof found === "number" && Number.isFinite(found)) return found;
  if (found === undefined) return { kind: "no-data", reason: `the answer has nothing at ${quote(query)}` };
  if (found === null) return { kind: "no-data", reason: `the answer has null at ${quote(query)}` };
  if (Array.isArray(found)) {
    const reason = `a list of ${found.length} at ${quote(query)}, expected one number; point at one of its places`;
    return { kind: "error", reason };
  }
  // A number too large for JavaScript reads as infinity, which JSON writes as null.
  const text = typeof found === "number" ? String(found) : `${quote(found)} (${typeof found})`;
  return { kind: "error", reason: `${text} at ${quote(query)}, expected a finite number` };
}

/**
 * The number an answer holds at the query's pointer, and its time at `timestamp`; without one, `now`, because the answer
 * itself is then all that is known of its age.
 */
export function readNumber(
  body: string,
  order: MetricOrder,
  pointers: { readonly query: Pointer; readonly timestamp: Pointer | null },
  now: EpochMs,
): MetricReading {
  const parsed = parseJson(body);
  if (parsed === null) return { kind: "error", reason: `not JSON: ${quote(body)}` };
  const value = numberOf(order.query, readPointer(parsed.document, pointers.query));
  if (typeof value !== "number") return value;
  if (pointers.timestamp === null) return { kind: "value", value, atEpochMs: now };
  const found = readPointer(parsed.document, pointers.timestamp) ?? null;
  if (found === null)
    return { kind: "no-data", reason: "the answer has no time where `timestamp` points: no known age" };
  const at = timeOf(found);
  if (typeof at !== "number") return at;
  return judgeAge("the number", at, order, now) ?? { kind: "value", value, atEpochMs: at };
}
