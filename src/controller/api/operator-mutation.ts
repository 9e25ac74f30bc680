import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Context } from "hono";
import type { ControllerStore, StoredAnswer } from "../../ports/controller-store.ts";
import { problemResponse } from "./problem.ts";

const KEY = /^[\x21-\x7e]{1,255}$/;
const BODY_MAX_BYTES = 2_097_152;

/** What an operator's request carries besides its meaning. */
export interface Mutation {
  readonly key: string;
  readonly fingerprint: string;
  readonly operator: string;
  readonly body: string;
  /** The answer as it is to be stored with the change. */
  answer(status: number, body: unknown): StoredAnswer;
}

/**
 * Reads an operator's request. The same key with the same content gets the stored answer again, with another content a
 * 422: a repeated click is one action.
 * @source IETF draft "The Idempotency-Key HTTP Header Field"
 */
export async function readMutation(context: Context, store: ControllerStore): Promise<Mutation | Response> {
  const given = (context.req.header("idempotency-key") ?? "").replace(/^"(.*)"$/, "$1");
  if (!KEY.test(given)) {
    return problemResponse("bad-request", "an Idempotency-Key of 1 to 255 visible characters is required for a change");
  }
  const body = await context.req.text();
  if (body.length > BODY_MAX_BYTES)
    return problemResponse("too-large", `the body has more than ${BODY_MAX_BYTES} bytes`);
  const key = `${context.req.method} ${context.req.path} ${given}`;
  const fingerprint = bytesToHex(sha256(utf8ToBytes(body)));
  const stored = await store.answer(key);
  if (stored !== null) {
    if (stored.fingerprint !== fingerprint)
      return problemResponse("key-reused", `key ${given} was used with another body; use a new key`);
    const headers = { "content-type": "application/json", "idempotent-replayed": "true" };
    return new Response(stored.body, { status: stored.status, headers });
  }
  const operator = (context.req.header("x-sluice-operator") ?? "unknown").slice(0, 100);
  const answer = (status: number, value: unknown) => ({ key, fingerprint, status, body: JSON.stringify(value) });
  return { key, fingerprint, operator, body, answer };
}
