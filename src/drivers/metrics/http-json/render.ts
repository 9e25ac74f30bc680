import type { EpochMs } from "../../../core/unit.ts";
import type { MetricOrder, MetricReading } from "../../../ports/metric-source.ts";
import { judgeAge } from "../age.ts";
import { parseJson, quote } from "../document.ts";
import { timeOf } from "../moment.ts";
import { type Pointer, readPointer } from "../../../core/json-pointer.ts";

type NoValue = Exclude<MetricReading, { kind: "value" }>;

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
 * The number an answer holds at the query's pointer, and its time at `timestamp`; without one, `now`, because the
 * answer itself is then all that is known of its age.
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
