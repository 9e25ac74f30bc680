import { readNumber, UNREADABLE } from "../../../core/trace/wire-value.ts";
import { type LogRecord, membersOf } from "./log-format.ts";

/**
 * Attributes by which spans of model calls tell tokens and why the model stopped; the names of before 2024 as well.
 * @source OpenTelemetry semantic conventions for generative AI client spans
 */
export const GEN_AI: ReadonlySet<string> = new Set([
  "gen_ai.usage.input_tokens",
  "gen_ai.usage.prompt_tokens",
  "gen_ai.usage.output_tokens",
  "gen_ai.usage.completion_tokens",
  "gen_ai.response.finish_reasons",
  "sluice.cost",
]);

/** What the model calls of one request told together. */
export interface ModelCalls {
  readonly usage?: { readonly input_tokens?: unknown; readonly output_tokens?: unknown; readonly cost?: unknown };
  readonly answer?: { readonly finish_reason: unknown };
}

/** What one span tells of a model call; null where it tells nothing. */
export function modelCallOf(attributes: LogRecord): ModelCalls | null {
  const input = attributes["gen_ai.usage.input_tokens"] ?? attributes["gen_ai.usage.prompt_tokens"];
  const output = attributes["gen_ai.usage.output_tokens"] ?? attributes["gen_ai.usage.completion_tokens"];
  const cost = attributes["sluice.cost"];
  const reason = lastOf(attributes["gen_ai.response.finish_reasons"]);
  const isUsed = input !== undefined || output !== undefined || cost !== undefined;
  if (!isUsed && reason === undefined) return null;
  const usage = { input_tokens: input, output_tokens: output, cost };
  return { ...(isUsed ? { usage } : {}), ...(reason === undefined ? {} : { answer: { finish_reason: reason } }) };
}

/** Both calls together: tokens and cost add up, and the later call is the one that answered. */
export function withCall(before: ModelCalls | undefined, call: ModelCalls): ModelCalls {
  if (before === undefined) return call;
  const answer = call.answer ?? before.answer;
  const usage =
    before.usage === undefined || call.usage === undefined
      ? (before.usage ?? call.usage)
      : {
          input_tokens: sum(before.usage.input_tokens, call.usage.input_tokens),
          output_tokens: sum(before.usage.output_tokens, call.usage.output_tokens),
          cost: sum(before.usage.cost, call.usage.cost),
        };
  return { ...(usage === undefined ? {} : { usage }), ...(answer === undefined ? {} : { answer }) };
}

/** Of what cannot be read the unreadable one stays, to be told. */
function sum(left: unknown, right: unknown): unknown {
  const [a, b] = [readNumber(left), readNumber(right)];
  if (typeof a === "number" && typeof b === "number") return a + b;
  return a === UNREADABLE || b === null ? left : right;
}

/** A list of reasons has one for each choice of the model; the last one stands for all. */
function lastOf(value: unknown): unknown {
  const list = membersOf(value)?.["values"];
  if (!Array.isArray(list)) return value;
  const last: unknown = list[list.length - 1];
  return Object.values(membersOf(last) ?? {})[0];
}
