import { z } from "zod";
import { type EpochMs, epochMs } from "../../core/unit.ts";
import type { MetricReading } from "../../ports/metric-source.ts";
import { quote } from "./document.ts";

/** Below this an epoch in milliseconds lies before March 1973, so that it can only be one in seconds. */
const EPOCH_MS_MIN = 1e11;
const EPOCH_MS_MAX = 8.64e15;

const instant = z.iso.datetime({ offset: true });

type NoValue = Exclude<MetricReading, { kind: "value" }>;

/** Epoch milliseconds, or ISO 8601 with a zone. Nothing is guessed: a time that could mean two moments is an error. */
export function timeOf(found: unknown): EpochMs | NoValue {
  if (typeof found === "number" && found >= EPOCH_MS_MIN && found <= EPOCH_MS_MAX) return epochMs(found);
  const parsed = instant.safeParse(found);
  const atEpochMs = parsed.success ? Date.parse(parsed.data) : Number.NaN;
  if (atEpochMs >= 0) return epochMs(atEpochMs);
  const seconds = typeof found === "number" && found >= 0 && found < EPOCH_MS_MIN ? "; this looks like seconds" : "";
  const expected = "expected epoch milliseconds or ISO 8601 with a zone";
  return { kind: "error", reason: `its time is ${quote(found)}, ${expected}${seconds}` };
}
