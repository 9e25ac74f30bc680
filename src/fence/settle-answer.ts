import { DriverError } from "../ports/driver-error.ts";
import type { FenceStore } from "../ports/fence-store.ts";
import { readStart } from "../ports/bounded-body.ts";
import type { HeldKey } from "./once.ts";
import { type FenceProblem, problemResponse, retryAfter } from "./problem-response.ts";
import { type StoredAnswer, serialise, storeBody } from "./stored-response.ts";
import { StreamDigest } from "./stream-digest.ts";

export interface AnswerOptions {
  readonly store: FenceStore;
  readonly responseBytesMax?: number;
}

export type SettledAs = "executed" | "failed" | FenceProblem;

const RESPONSE_BYTES_MAX = 262_144;

/** Note of a record whose answer is being streamed; a crash from here on reports `started: true`. */
const STARTED = "started";

const superseded = () =>
  problemResponse("superseded", {
    detail: "This attempt lost its lease. Send the same request again to get the answer of the one that has it.",
    headers: retryAfter(1_000),
  });

/** Writes the answer under the owner check. Null: it is stored; otherwise the refusal to send instead. */
async function store(held: HeldKey, answer: StoredAnswer, note: (kind: SettledAs) => void): Promise<Response | null> {
  try {
    if ((await held.complete(serialise(answer))) === "stored") {
      note("executed");
      return null;
    }
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    note("outcome-unrecorded");
    const detail = "Send the same request again: it is resumed, or its outcome is reported as unknown.";
    return problemResponse("outcome-unrecorded", { detail, headers: retryAfter(1_000) });
  }
  note("superseded");
  return superseded();
}

async function digestedAnswer(response: Response, bytes: Uint8Array, requestId: string): Promise<StoredAnswer> {
  const digest = new StreamDigest();
  await digest.add(bytes);
  const { status } = response;
  return { kind: "stream", requestId, status, bytes: digest.bytes, digest: await digest.finish(), complete: true };
}

/** Sends `start` and the rest while digesting them; the last chunk leaves only after the record is stored. */
function streamAnswer(
  held: HeldKey,
  response: Response,
  start: Uint8Array,
  rest: ReadableStreamDefaultReader<Uint8Array>,
  requestId: string,
  note: (kind: SettledAs) => void,
): Response {
  const digest = new StreamDigest();
  const finish = async (complete: boolean) => {
    const record = { requestId, status: response.status, bytes: digest.bytes, digest: await digest.finish(), complete };
    return store(held, { kind: "stream", ...record }, note);
  };
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      if (start.length === 0) return;
      await digest.add(start);
      controller.enqueue(start);
    },
    async pull(controller) {
      try {
        const { done, value } = await rest.read();
        if (!done) {
          await digest.add(value);
          return controller.enqueue(value);
        }
      } catch (error) {
        await held.expire();
        note("failed");
        return controller.error(error);
      }
      const refusal = await finish(true);
      if (refusal === null) controller.close();
      else controller.error(new Error("fence: the streamed answer was not recorded; send the same request again"));
    },
    async cancel(reason) {
      await rest.cancel(reason).catch(() => {});
      await finish(false);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}

/**
 * Stores a handler's answer and only then lets it out. A 5xx, or what is no final answer (a protocol switch), ends the
 * lease instead. An event stream, or an answer above the limit, is marked as started before its first byte and stored
 * as size and digest at its end.
 */
export async function settleAnswer(
  options: AnswerOptions,
  held: HeldKey,
  response: Response,
  requestId: string,
  note: (kind: SettledAs) => void,
): Promise<Response> {
  if (response.status < 200 || response.status >= 500) {
    await held.expire();
    note("failed");
    return response;
  }
  const isEventStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  const bytesMax = Math.min(options.responseBytesMax ?? RESPONSE_BYTES_MAX, options.store.resultBytesMax);
  const { bytes, rest } =
    isEventStream && response.body !== null
      ? startOf(response.body)
      : await readStart(response.body, { bytesMax, until: null });
  if (rest !== null) {
    if (await held.annotate(STARTED)) return streamAnswer(held, response, bytes, rest, requestId, note);
    await rest.cancel().catch(() => {});
    note("superseded");
    return superseded();
  }
  const whole = storeBody(response, bytes, requestId);
  const isTooLong = new TextEncoder().encode(serialise(whole)).length > options.store.resultBytesMax;
  const refusal = await store(held, isTooLong ? await digestedAnswer(response, bytes, requestId) : whole, note);
  if (refusal !== null) return refusal;
  const { status, statusText, headers } = response;
  return new Response(response.body === null ? null : bytes, { status, statusText, headers });
}

const startOf = (body: ReadableStream<Uint8Array>) => ({ bytes: new Uint8Array(0), rest: body.getReader() });
