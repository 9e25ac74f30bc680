import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Context } from "hono";
import type { ControllerStore, OperatorAnswer } from "../../ports/controller-store.ts";
import { parseJson, readBody } from "./body.ts";
import { BEARER_NAME } from "./guard.ts";
import { problemResponse } from "./problem.ts";

const KEY = /^[\x21-\x7e]{1,255}$/;
const BODY_MAX_BYTES = 2_097_152;

/** What an operator's request carries besides its meaning. */
export interface Mutation {
  readonly operator: string;
  readonly body: string;
  /** The body as JSON; undefined when it is none. */
  json(): unknown;
  /** The answer as it is to be stored with the change, so that both become durable together. */
  answer(status: number, body: unknown): OperatorAnswer;
}

/**
 * Operators' requests, each carried out once: the same key with the same content gets the stored answer again, with
 * another content a 422, and while the first one still runs a 409. Only answers of changes are stored: a refusal
 * changed nothing and may be different the next time.
 * @source IETF draft "The Idempotency-Key HTTP Header Field"
 */
export class OperatorMutations {
  readonly #store: ControllerStore;
  /** Fingerprint by key of requests being carried out. */
  readonly #running = new Map<string, string>();

  constructor(store: ControllerStore) {
    this.#store = store;
  }

  async once(context: Context, work: (mutation: Mutation) => Promise<Response>): Promise<Response> {
    const given = (context.req.header("idempotency-key") ?? "").replace(/^"(.*)"$/, "$1");
    if (!KEY.test(given)) {
      return problemResponse("bad-request", "a change needs an Idempotency-Key of 1 to 255 visible ASCII characters");
    }
    const body = await readBody(context, BODY_MAX_BYTES);
    if (body === null) return problemResponse("too-large", `the body has more than ${BODY_MAX_BYTES} bytes`);
    const key = `${context.req.method} ${context.req.path} ${given}`;
    const fingerprint = bytesToHex(sha256(utf8ToBytes(body)));
    const running = this.#running.get(key);
    if (running !== undefined) return running === fingerprint ? inFlight(given) : reused(given);
    this.#running.set(key, fingerprint);
    try {
      const stored = await this.#store.answer(key);
      if (stored !== null) return stored.fingerprint === fingerprint ? replay(stored) : reused(given);
      // A handed out token is somebody by its name; with the data directory's own a person names himself.
      const bearer: unknown = context.get(BEARER_NAME);
      const said = context.req.header("x-sluice-operator") ?? "unknown";
      const operator = (typeof bearer === "string" ? bearer : said).slice(0, 100);
      const answer = (status: number, value: unknown) => ({ key, fingerprint, status, body: JSON.stringify(value) });
      return await work({ operator, body, answer, json: () => parseJson(body) });
    } finally {
      this.#running.delete(key);
    }
  }
}

function inFlight(key: string): Response {
  const response = problemResponse("in-flight", `the request with key ${key} is being carried out; ask again in 1 s`);
  response.headers.set("retry-after", "1");
  return response;
}

function reused(key: string): Response {
  return problemResponse("key-reused", `key ${key} was used with another body; use a new key`);
}

function replay({ body, status }: OperatorAnswer): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "application/json", "idempotent-replayed": "true" },
  });
}
