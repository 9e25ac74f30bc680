import type { ServiceEvent } from "./service-event.ts";
import type { Signal, Told } from "./signals.ts";

/** What a data plane saw of one answer by itself. */
export interface SeenAnswer {
  /** A whole answer of status 200 without a byte of body; null where that says nothing, as for HEAD. */
  readonly isEmpty: boolean | null;
  /** The client of a stream left before its end; null for an answer that is no stream. */
  readonly isAbandoned: boolean | null;
  /** Time to the first piece of a stream; null without one. */
  readonly firstTokenMs: number | null;
}

/** Of an answer that nobody looked at. */
export const NOTHING_SEEN: SeenAnswer = { isEmpty: null, isAbandoned: null, firstTokenMs: null };

/** What of a service's word tells of its answer. */
export type SaidOfAnswer = Pick<ServiceEvent, "usage" | "answer" | "feedback">;

/**
 * Why a model stopped, in the words of those who serve models. Every other word is an answer that came to its end.
 * @source OpenTelemetry semantic conventions for generative AI, `gen_ai.response.finish_reasons`; OpenAI `length`,
 *   `content_filter`; Anthropic `max_tokens`, `refusal`; Gemini `MAX_TOKENS`, `SAFETY`
 */
const CUT_SHORT: ReadonlySet<string> = new Set(["length", "max_tokens"]);
const REFUSED: ReadonlySet<string> = new Set(["content_filter", "refusal", "safety"]);

/**
 * What is known of one answer, from the service's word and from what the data plane saw; the word counts first.
 * @param releaseId release of the arm that answered: feedback on another release's answer is not its own
 */
export function toldOf(said: SaidOfAnswer | null, seen: SeenAnswer | null, releaseId: string): Told {
  const { usage = {}, answer = {}, feedback = {} } = said ?? {};
  const reason = answer.finish_reason?.toLowerCase();
  const told: Partial<Record<Signal, number>> = {};
  const add = (signal: Signal, value: number | boolean | null | undefined): void => {
    if (value !== undefined && value !== null) told[signal] = Number(value);
  };
  add("refusalRate", answer.refused ?? (reason === undefined ? undefined : REFUSED.has(reason)));
  add("truncationRate", answer.truncated ?? (reason === undefined ? undefined : CUT_SHORT.has(reason)));
  add("emptyRate", answer.empty ?? seen?.isEmpty);
  add("abandonedRate", seen?.isAbandoned);
  if (feedback.release === undefined || feedback.release === releaseId) {
    add("thumbsDownRate", feedback.thumbs_down);
    add("regenerationRate", feedback.regenerated);
  }
  add("tokensIn", usage.input_tokens);
  add("tokensOut", usage.output_tokens);
  add("costPerAnswer", usage.cost);
  add("firstTokenMs", seen?.firstTokenMs);
  return told;
}
