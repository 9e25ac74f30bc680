import { isDeniedCopy } from "../core/routing/headers.ts";
import { DriverError } from "../ports/driver-error.ts";
import { readStart } from "../ports/bounded-body.ts";
import { fingerprintOf, type KeyScope, scopeText } from "./fingerprint.ts";
import { type KeyHeader, parseIdempotencyKey } from "./idempotency-key.ts";
import { claimKey, type FenceOptions, type HeldKey, type KeyAnswer } from "./once.ts";
import { bodyNotKept, type FenceProblem, problemResponse, retryAfter } from "./problem-response.ts";
import { parseStored, replayBody } from "./stored-response.ts";
import { settleAnswer } from "./settle-answer.ts";
import { attemptIdOf, systemRandom } from "./system.ts";
import { APPLIED, DUPLICATED, type Effects, NOT_APPLIED, SUPPRESSED, tellEffects } from "./tell-effects.ts";

/** What happened to one request with a key: for counters and logs (ID-9). */
export interface FenceEvent {
  readonly kind: "executed" | "replayed" | "not-executed" | "failed" | FenceProblem;
  readonly scope: string;
  readonly key: string;
  /** Token of the attempt; null where none was held. */
  readonly token: number | null;
}

export interface IdempotencyOptions extends FenceOptions {
  /** From the authenticated identity, never from a raw client header. */
  readonly scope: (request: Request) => KeyScope | Promise<KeyScope>;
  /**
   * Effect key of the request when everything it does outside is refused a second time under it; null when that is not
   * so. With it a crashed attempt is resumed, without it the outcome is unknown (409).
   */
  readonly effectKey?: (request: Request, scope: KeyScope, key: string) => string | null | Promise<string | null>;
  /** Methods that need a key. Others pass through. Default POST and PATCH. */
  readonly methods?: readonly string[];
  /** False lets a request without a key through, unprotected. Default true: 400. */
  readonly required?: boolean;
  /** Authentication and validation: an answer ends the request before the key is claimed, and is not stored. */
  readonly before?: (request: Request) => Response | null | Promise<Response | null>;
  /** Rate limits and budgets: asked only for a request that will run, so that a replay uses nothing up. Not stored. */
  readonly admit?: (request: Request) => Response | null | Promise<Response | null>;
  /** Where a client or a person can see the outcome; sent with 409 outcome-unknown. */
  readonly statusUrl?: (key: string, scope: KeyScope) => string;
  /** Larger request bodies are refused with 413. Default 1 MiB. */
  readonly requestBytesMax?: number;
  /** Larger answers are treated as streams: their digest is kept, not their body. Default 256 KiB. */
  readonly responseBytesMax?: number;
  readonly observe?: (event: FenceEvent) => void;
}

/** What a handler may know and say about its own attempt. */
export interface FenceContext {
  readonly key: string;
  readonly scope: KeyScope;
  /** Pass it to every effect of this request; null when the request has none. */
  readonly effectKey: string | null;
  readonly held: HeldKey;
}

/** `context` is null for a request that needs no key: another method, or none was sent where none is required. */
export type FencedHandler = (request: Request, context: FenceContext | null) => Response | Promise<Response>;

const unexecuted = new WeakSet<Response>();

/** Marks an answer given before any effect was started (a late validation failure): it is sent and not stored. */
export function notExecuted(response: Response): Response {
  unexecuted.add(response);
  return response;
}

/** A request ready to be claimed: everything about it is fixed. */
interface Prepared {
  readonly request: Request;
  readonly key: string;
  readonly scope: KeyScope;
  readonly scopeId: string;
  readonly fingerprint: string;
  readonly effectKey: string | null;
}

const DEFAULT_METHODS = ["POST", "PATCH"];
const REQUEST_BYTES_MAX = 1_048_576;

async function prepare(options: IdempotencyOptions, given: Request, key: string): Promise<Prepared | Response> {
  if (given.bodyUsed) return bodyNotKept("Put the fence before whatever reads the body.");
  const bytesMax = options.requestBytesMax ?? REQUEST_BYTES_MAX;
  // How long a request may take is the server's rule: it ends the body of one that takes longer.
  const { bytes, rest } = await readStart(given.body, { bytesMax, until: null });
  if (rest !== null) {
    await rest.cancel();
    const detail = `At most ${bytesMax} bytes are accepted with an Idempotency-Key. Send less, or use another endpoint.`;
    return problemResponse("body-too-large", { detail });
  }
  const scope = await options.scope(given);
  const [scopeId, fingerprint] = await Promise.all([scopeText(scope, given.method), fingerprintOf(given, bytes)]);
  const { method, headers, signal } = given;
  const request = new Request(given.url, { method, headers, signal, ...(given.body === null ? {} : { body: bytes }) });
  const effectKey = (await options.effectKey?.(request.clone(), scope, key)) ?? null;
  return { request, key, scope, scopeId, fingerprint, effectKey };
}

/** The answer to a request that may not run. */
function refuse(options: IdempotencyOptions, prepared: Prepared, answer: Exclude<KeyAnswer, { kind: "held" }>) {
  const { key, scope } = prepared;
  switch (answer.kind) {
    case "busy": {
      const detail = "Wait and send the same request again; it is answered with the result of the first one.";
      return {
        kind: "in-flight",
        response: problemResponse("in-flight", { detail, headers: retryAfter(answer.retryAfterMs) }),
      } as const;
    }
    case "mismatch": {
      const detail =
        "Method, path, query, content type or body differ from its first use. Use a new key for a new request.";
      return { kind: "fingerprint-mismatch", response: problemResponse("fingerprint-mismatch", { detail }) } as const;
    }
    case "unknown": {
      const url = options.statusUrl?.(key, scope);
      const detail = "It is not run again blindly. See its status, or ask for it to be settled.";
      const more = { ...(url === undefined ? {} : { status_url: url }), started: answer.note === "started" };
      return { kind: "outcome-unknown", response: problemResponse("outcome-unknown", { detail, more }) } as const;
    }
    case "done": {
      const stored = parseStored(answer.result);
      if (stored.kind === "body") return { kind: "replayed", response: replayBody(stored) } as const;
      const { status, bytes, digest, complete, requestId } = stored;
      const headers = { "idempotent-replayed": "true", "original-request-id": requestId };
      const detail =
        "The first request ran and its answer was streamed. Fetch the result by other means; do not send it again.";
      const more = { original_status: status, bytes, digest, complete };
      return {
        kind: "stream-completed",
        response: problemResponse("stream-completed", { detail, headers, more }),
      } as const;
    }
  }
}

function refuseKey(header: Exclude<KeyHeader, { kind: "key" }>): Response {
  if (header.kind === "missing") {
    const detail = "Send a header Idempotency-Key with a unique value, and the same value with every retry.";
    return problemResponse("idempotency-key-missing", { detail });
  }
  const detail = `Idempotency-Key ${header.reason}. Send 1 to 255 visible ASCII characters.`;
  return problemResponse("idempotency-key-invalid", { detail });
}

/** A copy has no key, because the answer of the request it was made of may be kept under that. */
function refuseCopy(): Response {
  const detail = "This is a copy of a request that another release answers. Nothing was executed.";
  return problemResponse("copy-denied", { detail });
}

function unavailable(error: unknown): Response {
  if (!(error instanceof DriverError)) throw error;
  const detail = `The store of used keys did not answer (${error.code}). Send the same request again later.`;
  return problemResponse("fence-unavailable", { detail, headers: retryAfter(1_000) });
}

function effectsOf(settledAs: FenceEvent["kind"], effectKey: string | null): Effects {
  if (settledAs === "executed" || settledAs === "outcome-unrecorded") return APPLIED;
  return settledAs === "superseded" && effectKey === null ? DUPLICATED : NOT_APPLIED;
}

/** Idempotency-Key handling for any web-standard handler. */
export interface Idempotency {
  /** A handler that answers each key once and replays it. */
  wrap(handler: FencedHandler): (request: Request) => Promise<Response>;
  /** One request; `handler` runs only when this attempt holds the key, or when the request needs none. */
  handle(request: Request, handler: FencedHandler): Promise<Response>;
  /** Whether such a request is held to a key. Adapters let every other one through untouched. */
  needsKey(method: string, header: (name: string) => string | null): boolean;
  /** Longest request body in bytes; adapters need not read more to have it refused. */
  readonly requestBytesMax: number;
}

/**
 * Middleware per the Idempotency-Key draft. Missing or bad key 400; in flight or unknown outcome 409; other request
 * under the key 422; store unreachable 503 with nothing executed; done: the stored answer with `Idempotent-Replayed`.
 * 2xx, 3xx and 4xx of the handler are stored before they are sent. A 5xx or a throw is not: the next request resumes
 * (with an effect key) or is told that the outcome is unknown.
 * @source reliability.md, Semantics, Idempotency-Key
 */
export function idempotency(options: IdempotencyOptions): Idempotency {
  const methods = new Set(options.methods ?? DEFAULT_METHODS);

  async function execute(
    prepared: Prepared,
    held: HeldKey,
    handler: FencedHandler,
    requestId: string,
  ): Promise<Response> {
    const { request, key, scope, effectKey, scopeId } = prepared;
    let settledAs: FenceEvent["kind"] = "executed"; // A stream is settled after its headers were sent.
    const note = (kind: FenceEvent["kind"]) => {
      settledAs = kind;
      options.observe?.({ kind, scope: scopeId, key, token: held.token });
    };
    let refused: Response | null;
    try {
      refused = (await options.admit?.(request.clone())) ?? null;
    } catch (error) {
      await held.release().catch(() => false); // Nothing ran yet, so nobody has to ask what became of it.
      note("not-executed");
      throw error;
    }
    try {
      const response = refused ?? (await handler(request, { key, scope, effectKey, held }));
      if (refused === null && !unexecuted.has(response)) {
        const settled = await settleAnswer(options, held, response, requestId, note);
        return tellEffects(request, settled, effectsOf(settledAs, effectKey));
      }
      await held.release();
      note("not-executed");
      return tellEffects(request, response, NOT_APPLIED);
    } catch (error) {
      await held.expire();
      note("failed");
      throw error;
    }
  }

  async function handle(given: Request, handler: FencedHandler): Promise<Response> {
    if (isDeniedCopy((name) => given.headers.get(name))) return refuseCopy();
    const early = given.bodyUsed ? null : ((await options.before?.(given.clone())) ?? null);
    if (early !== null) return early;
    const header = parseIdempotencyKey(given.headers.get("idempotency-key"));
    if (header.kind !== "key") return refuseKey(header);
    const prepared = await prepare(options, given, header.key);
    if (prepared instanceof Response) return prepared;
    const { key, scopeId, fingerprint, effectKey } = prepared;
    let answer: KeyAnswer;
    try {
      answer = await claimKey(options, { scope: scopeId, key, fingerprint, effectKey });
    } catch (error) {
      const response = unavailable(error);
      options.observe?.({ kind: "fence-unavailable", scope: scopeId, key, token: null });
      return response;
    }
    if (answer.kind !== "held") {
      const refusal = refuse(options, prepared, answer);
      options.observe?.({ kind: refusal.kind, scope: scopeId, key, token: null });
      // The same key with another request is a mistake of its sender and no delivery of the first one.
      return tellEffects(given, refusal.response, answer.kind === "mismatch" ? NOT_APPLIED : SUPPRESSED);
    }
    const requestId = given.headers.get("x-request-id") ?? attemptIdOf(options.random ?? systemRandom);
    return execute(prepared, answer.held, handler, requestId);
  }

  const needsKey: Idempotency["needsKey"] = (method, header) =>
    methods.has(method) && (options.required !== false || header("idempotency-key") !== null || isDeniedCopy(header));

  const answer = async (request: Request, handler: FencedHandler) =>
    needsKey(request.method, (name) => request.headers.get(name)) ? handle(request, handler) : handler(request, null);
  const requestBytesMax = options.requestBytesMax ?? REQUEST_BYTES_MAX;
  return { handle: answer, wrap: (handler) => (request) => answer(request, handler), needsKey, requestBytesMax };
}
