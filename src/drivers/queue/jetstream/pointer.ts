import { DriverError } from "../../../ports/driver-error.ts";
import type { PointerMoveResult, QueuePointer } from "../../../ports/queue.ts";
import { decodePointer, encodePointer, supersedes } from "../pointer-text.ts";
import {
  type AskApi,
  asking,
  errorCode,
  isFields,
  MESSAGE_NOT_FOUND,
  NAME,
  type NatsClient,
  numberIn,
  STREAM_NOT_FOUND,
  WRONG_LAST_SEQUENCE,
} from "./client.ts";

const ROUNDS_MAX = 64;

/** A bucket of the key-value store, as its clients make one, so that workers read the pointer with theirs. */
const bucketOf = (bucket: string) => ({
  name: `KV_${bucket}`,
  subjects: [`$KV.${bucket}.>`],
  storage: "file",
  max_msgs_per_subject: 1,
  allow_rollup_hdrs: true,
  deny_delete: true,
  discard: "new",
});

/** Keys have letters, digits and a few signs; any other is written as `=` and its bytes. @source NATS ADR-8 */
export function keyOf(pointer: string): string {
  const encoded = new TextEncoder();
  const hex = (sign: string) =>
    Array.from(encoded.encode(sign), (byte) => `=${byte.toString(16).padStart(2, "0")}`).join("");
  return pointer.replace(/[^A-Za-z0-9_-]/gu, hex);
}

interface Stored {
  readonly pointer: QueuePointer | null;
  /** Sequence of the record's message; 0: there is none. */
  readonly sequence: number;
  readonly hasBucket: boolean;
}

/** The pointer's record in a bucket. Compare-and-set is the store's: a write names the sequence it follows. */
export function pointersIn(client: NatsClient, api: AskApi, bucket: string) {
  const subjectOf = (pointer: string) => `$KV.${bucket}.${keyOf(pointer)}`;

  async function read(pointer: string, signal: AbortSignal): Promise<Stored> {
    const body = { last_by_subj: subjectOf(pointer) };
    const answer = await api(signal, `STREAM.MSG.GET.KV_${bucket}`, body, [STREAM_NOT_FOUND, MESSAGE_NOT_FOUND]);
    const code = errorCode(answer);
    if (code !== null) return { pointer: null, sequence: 0, hasBucket: code !== STREAM_NOT_FOUND };
    const message = answer["message"];
    const data = isFields(message) ? String(message["data"] ?? "") : "";
    const text = new TextDecoder().decode(Uint8Array.from(atob(data), (sign) => sign.codePointAt(0) ?? 0));
    return { pointer: decodePointer(NAME, text), sequence: numberIn(message, "seq"), hasBucket: true };
  }

  async function move(pointer: string, next: QueuePointer, signal: AbortSignal): Promise<PointerMoveResult> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const stored = await read(pointer, signal);
      if (!supersedes(next, stored.pointer)) return { kind: "refused", found: stored.pointer };
      if (!stored.hasBucket) await api(signal, `STREAM.CREATE.KV_${bucket}`, bucketOf(bucket));
      const write = () => client.requestAt(subjectOf(pointer), encodePointer(next), stored.sequence);
      const answer = await asking(signal, write, [WRONG_LAST_SEQUENCE]);
      if (errorCode(answer) === null) return { kind: "moved" };
    }
    const what = `${NAME}: others moved the pointer ${pointer} ${ROUNDS_MAX} times meanwhile`;
    throw new DriverError("unreachable", "safe", `${what}; try again later`);
  }
  return { read: async (pointer: string, signal: AbortSignal) => (await read(pointer, signal)).pointer, move };
}
