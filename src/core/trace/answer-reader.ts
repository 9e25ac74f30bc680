import type { Told } from "../window/signals.ts";
import { type SaidOfAnswer, toldOf } from "../window/told.ts";
import { isAbsent, readFlag, readNumber, readText, UNREADABLE } from "./wire-value.ts";

/** Members of an event that tell what its answer was. All of them unchecked. */
export interface AnswerMembers {
  readonly usage?: unknown;
  readonly answer?: unknown;
  readonly feedback?: unknown;
  readonly stream?: unknown;
}

type AnswerField = keyof AnswerMembers;
type LeaveOut = (field: AnswerField, value: unknown, expected: string) => void;
type Members = Readonly<Record<string, unknown>>;

export const NOTHING_TOLD: Told = {};
const NO_MEMBERS: Members = {};

/** Whether an event tells anything of its answer: most do not, and cost nothing. */
export function tellsOfAnswer({ usage, answer, feedback, stream }: AnswerMembers): boolean {
  return usage !== undefined || answer !== undefined || feedback !== undefined || stream !== undefined;
}

/**
 * What an event tells of its answer, in the spelling of `x-sluice-event` and of the gateway's own events.
 * @param firstPieceMs `latency_ms.tusable`: of a stream it is the time to first token
 */
export function readTold(event: AnswerMembers, firstPieceMs: unknown, releaseId: unknown, leaveOut: LeaveOut): Told {
  const members = (field: AnswerField): Members => {
    const value = event[field];
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
    if (!isAbsent(value)) leaveOut(field, value, "an object");
    return NO_MEMBERS;
  };
  const flag = (field: AnswerField, value: unknown): boolean | undefined => {
    const read = readFlag(value);
    if (read === UNREADABLE) leaveOut(field, value, "true or false");
    return read === UNREADABLE || read === null ? undefined : read;
  };
  const amount = (field: AnswerField, value: unknown): number | undefined => {
    const read = readNumber(value);
    if (typeof read === "number" && read >= 0 && read <= Number.MAX_SAFE_INTEGER) return read;
    if (read !== null) leaveOut(field, value, "a number");
    return undefined;
  };
  const word = (value: unknown): string | undefined => {
    const read = readText(value);
    return typeof read === "string" ? read : undefined;
  };
  const [usage, answer, feedback, stream] = [
    members("usage"),
    members("answer"),
    members("feedback"),
    members("stream"),
  ];
  const said: Mutable<SaidOfAnswer> = {
    usage: present({
      input_tokens: amount("usage", usage["input_tokens"]),
      output_tokens: amount("usage", usage["output_tokens"]),
      cost: amount("usage", usage["cost"]),
    }),
    answer: present({
      refused: flag("answer", answer["refused"]),
      empty: flag("answer", answer["empty"]),
      truncated: flag("answer", answer["truncated"]),
      finish_reason: word(answer["finish_reason"]),
    }),
    feedback: present({
      thumbs_down: flag("feedback", feedback["thumbs_down"]),
      regenerated: flag("feedback", feedback["regenerated"]),
      release: word(feedback["release"]),
    }),
  };
  const isAbandoned = flag("stream", stream["abandoned"]) ?? null;
  const isStream = event.stream !== undefined && event.stream !== null;
  const firstTokenMs = isStream ? (amount("stream", stream["first_token_ms"] ?? firstPieceMs) ?? null) : null;
  return toldOf(said, { isEmpty: null, isAbandoned, firstTokenMs }, word(releaseId) ?? "");
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Only what is there: an absent field is not one that is undefined. */
function present<T extends Readonly<Record<string, unknown>>>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
