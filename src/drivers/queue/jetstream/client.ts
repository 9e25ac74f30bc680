import type { Json } from "../../../core/canonical-json.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { untilAborted } from "../../abortable.ts";

/** The members of a NATS client we call; a connection of `@nats-io/transport-node` has the first. */
export interface NatsClient {
  request(
    subject: string,
    payload: string,
    options: { readonly timeout: number },
  ): Promise<{ readonly data: Uint8Array }>;
  /** A request that is taken only when its subject's last message has this sequence; 0: it has none. */
  requestAt(subject: string, payload: string, lastSequence: number): Promise<{ readonly data: Uint8Array }>;
}

/** What JetStream answers: fields, or an error with a number of its own. */
export type Answer = { readonly [field: string]: Json };

export const NAME = "queue/jetstream";
export const ANSWER_WITHIN_MS = 5_000;

/** @source nats-server, server/errors.json */
export const STREAM_NOT_FOUND = 10_059;
export const CONSUMER_NOT_FOUND = 10_014;
export const MESSAGE_NOT_FOUND = 10_037;
export const WRONG_LAST_SEQUENCE = 10_071;

export const isFields = (value: Json | undefined): value is Answer =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A field that is a number; 0 where it is left out, as JetStream does with zeros. */
export const numberIn = (fields: Json | undefined, name: string): number =>
  isFields(fields) ? Number(fields[name] ?? 0) : 0;

/** The number of an answer's error; null when it is none. */
export function errorCode(answer: Answer): number | null {
  return isFields(answer["error"]) ? numberIn(answer["error"], "err_code") : null;
}

function asAnswer(data: Uint8Array): Answer {
  const value = JSON.parse(new TextDecoder().decode(data)) as Json;
  if (isFields(value)) return value;
  throw new DriverError("rejected", "never", `${NAME}: JetStream answered what is no object`);
}

/** Sends, and reads the answer. An error that is not among those expected is a DriverError. */
export async function asking(
  signal: AbortSignal,
  send: () => Promise<{ readonly data: Uint8Array }>,
  expected: readonly number[] = [],
): Promise<Answer> {
  let answer: Answer;
  try {
    answer = asAnswer((await untilAborted(signal, send)).data);
  } catch (error) {
    if (signal.aborted || error instanceof DriverError) throw error;
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const isDenied = /authorization|permission|credential/i.test(message);
    if (isDenied) throw new DriverError("unauthorized", "never", `${NAME}: ${message}`, error);
    throw new DriverError("unreachable", "safe", `${NAME}: ${message}`, error);
  }
  const code = errorCode(answer);
  if (code === null || expected.includes(code)) return answer;
  const { description = "" } = answer["error"] as Answer;
  throw new DriverError("rejected", "never", `${NAME}: JetStream says ${String(description)} (${code})`);
}

/** One request of the JetStream API. */
export function asksApi(client: NatsClient) {
  return (signal: AbortSignal, what: string, body: Json, expected: readonly number[] = []): Promise<Answer> =>
    asking(
      signal,
      () => client.request(`$JS.API.${what}`, JSON.stringify(body), { timeout: ANSWER_WITHIN_MS }),
      expected,
    );
}

export type AskApi = ReturnType<typeof asksApi>;
