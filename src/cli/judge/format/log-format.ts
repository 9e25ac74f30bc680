import type { ErrorStage } from "../../../core/window/error-class.ts";
import { isAbsent, readNumber, UNREADABLE } from "../../../core/trace/wire-value.ts";

/** One record of a log: a JSON object, or the fields of a line by their names. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** A wide event made of a record. Values keep their spelling: the reader of events reads them, or tells them. */
export interface LogEvent {
  readonly ts: unknown;
  readonly arm: unknown;
  readonly status?: unknown;
  readonly error_class?: { readonly stage: ErrorStage; readonly family: string; readonly code: string } | undefined;
  readonly latency_ms?: unknown;
  readonly cold_start?: unknown;
  readonly probe?: unknown;
  readonly sticky?: unknown;
  readonly cache?: unknown;
  /** What the answer was told to be. */
  readonly usage?: unknown;
  readonly answer?: unknown;
  readonly stream?: unknown;
  readonly event_id?: unknown;
  readonly trace_id?: unknown;
  readonly span_id?: unknown;
}

/** Names of the field that holds the arm: those a person gave, or the usual ones of the product. */
export type ArmFields = readonly string[];

/** How the access log of one product is read. */
export interface LogFormat {
  /** What a line is: one JSON value, or a text that `fieldsOf` takes apart. */
  readonly lines: "json" | "text";
  /** The record of a line of text; a reason when it is none, null for a line that holds no record. */
  readonly fieldsOf?: (line: string, armFields: ArmFields | null) => LogRecord | string | null;
  /** The requests of a record, none when it is of something else; a reason when it cannot be read. */
  read(record: LogRecord, armFields: ArmFields | null, take: (event: LogEvent) => void): string | null;
}

const CLIENT_CLOSED = 499;

/**
 * The first of some fields that a person named and that holds something. Where the names are the product's own, a
 * format names each in the code and asks `firstPresent`: fields looked up by a list cost a third of a line.
 */
export function firstOf(record: LogRecord | null, names: readonly string[]): unknown {
  if (record === null) return undefined;
  for (const name of names) {
    const value = record[name];
    if (!isAbsent(value)) return value;
  }
  return undefined;
}

/** The first of some values that is there. */
export function firstPresent(...values: readonly unknown[]): unknown {
  for (const value of values) if (!isAbsent(value)) return value;
  return undefined;
}

/** The arm, under the names that logs have it by when they were set up as the documentation says. */
export function usualArm(record: LogRecord): unknown {
  return firstPresent(record["arm"], record["variant"], record["x_sluice_arm"], record["x-sluice-arm"]);
}

/** A member that is an object; null when it is not. */
export function membersOf(value: unknown): LogRecord | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as LogRecord) : null;
}

const NONE: readonly LogRecord[] = [];

/** The objects of a list, none where nothing is there; null when it is no list, or holds something else. */
export function recordsIn(list: unknown): readonly LogRecord[] | null {
  if (list === undefined || list === null) return NONE;
  return Array.isArray(list) && list.every((entry) => membersOf(entry) !== null) ? list : null;
}

/**
 * Milliseconds of a number of seconds, to the microsecond, as logs have it. What is none stays as it is, to be told.
 */
export function msOfSeconds(seconds: unknown): unknown {
  const number = readNumber(seconds);
  return number === UNREADABLE || number === null ? seconds : Math.round(number * 1e6) / 1e3;
}

/** A status as logs write it; 0 is an answer that the client did not wait for. */
export function statusOf(status: unknown): unknown {
  return status === 0 || status === "0" || status === "000" ? CLIENT_CLOSED : status;
}

const HIT = { hit: true };
const MISS = { hit: false };
const CACHE_WORDS: ReadonlyMap<string, typeof HIT | null> = new Map([
  ...["hit", "refreshhit", "originshieldhit", "stale", "updating", "revalidated"].map((word) => [word, HIT] as const),
  ...["miss", "expired", "prerender"].map((word) => [word, MISS] as const),
  ...["bypass", "dynamic", "none", "unknown", "error", "redirect"].map((word) => [word, null] as const),
  ...["limitexceeded", "capacityexceeded", "functiongeneratedresponse"].map((word) => [word, null] as const),
]);

/** What a cache says of a request, as a member `cache` of an event. An unknown word stays, to be told. */
export function cacheOf(word: unknown): unknown {
  if (isAbsent(word)) return undefined;
  if (typeof word !== "string") return { hit: word };
  const known = CACHE_WORDS.get(word.toLowerCase());
  return known === undefined ? { hit: word } : (known ?? undefined);
}
