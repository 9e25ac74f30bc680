import { z } from "zod";
import { type EpochMs, epochMs } from "../../../core/unit.ts";

/** A moment in seconds and a value as text, because JSON knows neither NaN nor infinity. */
const sample = z.tuple([z.number().nonnegative(), z.string()]);
const series = z.object({
  metric: z.record(z.string(), z.string()),
  value: sample.optional(),
  histogram: z.unknown().optional(),
});
const notes = { warnings: z.array(z.string()).optional(), infos: z.array(z.string()).optional() };

/** @source Prometheus documentation, "HTTP API": response envelope and the four result types, 2.42 and 3.x */
const answerSchema = z.object({
  status: z.literal("success"),
  data: z.discriminatedUnion("resultType", [
    z.object({ resultType: z.literal("vector"), result: z.array(series) }),
    z.object({ resultType: z.literal("scalar"), result: sample }),
    z.object({ resultType: z.literal("matrix"), result: z.array(z.unknown()) }),
    z.object({ resultType: z.literal("string"), result: z.unknown() }),
  ]),
  ...notes,
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

/** A finite number, or null: for NaN and the infinities, and for any text that only looks like a number to JavaScript. */
export function finiteNumber(text: string): number | null {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}

/** Seconds of Prometheus, which have a fraction of three digits, in milliseconds. */
export const momentMs = (seconds: number): EpochMs => epochMs(Math.round(seconds * 1_000));
