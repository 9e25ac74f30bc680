import { z } from "zod";
import { type EpochMs, epochMs } from "../../../core/unit.ts";

/** A moment in seconds and a value as text, because JSON knows neither NaN nor infinity. */
const sample = z.tuple([z.number().nonnegative(), z.string()]);
const series = z.object({
  metric: z.record(z.string(), z.string()),
  value: sample.optional(),
  histogram: z.unknown().optional(),
});
/** Go writes a list that was never filled as null, and so do servers that speak Prometheus' language. */
const listOf = <T extends z.ZodType>(element: T) =>
  z
    .array(element)
    .nullish()
    .transform((list) => list ?? []);
const notes = { warnings: listOf(z.string()), infos: listOf(z.string()) };

/**
 * What Prometheus answers, and Thanos, Mimir and VictoriaMetrics in its stead: members of their own (`partial`,
 * `stats`, `isPartial`) are let through, null lists are empty ones.
 * @source Prometheus documentation, "HTTP API": response envelope and the four result types, 2.42 and 3.x; Thanos query
 * API, Mimir HTTP API, VictoriaMetrics "Prometheus querying API"
 */
const answerSchema = z.object({
  status: z.literal("success"),
  data: z.discriminatedUnion("resultType", [
    z.object({ resultType: z.literal("vector"), result: listOf(series) }),
    z.object({ resultType: z.literal("scalar"), result: sample }),
    z.object({ resultType: z.literal("matrix"), result: listOf(z.unknown()) }),
    z.object({ resultType: z.literal("string"), result: z.unknown() }),
  ]),
  ...notes,
  /** VictoriaMetrics' cluster: storage nodes were missing, so the number is of a part of the data. */
  isPartial: z.boolean().nullish(),
});
const refusalSchema = z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() });

/** A valid answer of the query endpoint. */
export type Answer = z.infer<typeof answerSchema>;

/** A sample: seconds since the epoch, and the value as Prometheus writes it. */
export type Sample = z.infer<typeof sample>;

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Reads a body as an answer; null when it is none of the documented shape. */
export function parseAnswer(body: string): Answer | null {
  return answerSchema.safeParse(parseJson(body)).data ?? null;
}

/** What Prometheus says of a query it refuses; empty when the body is not its own. */
export function refusalText(body: string): string {
  const refusal = refusalSchema.safeParse(parseJson(body)).data;
  return refusal === undefined ? "" : `${refusal.errorType}: ${refusal.error}`;
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/**
 * A finite number, or null: for NaN and the infinities, and for any text that only looks like a number to JavaScript.
 */
export function finiteNumber(text: string): number | null {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}

/** Seconds of Prometheus, which have a fraction of three digits, in milliseconds. */
export const momentMs = (seconds: number): EpochMs => epochMs(Math.round(seconds * 1_000));
