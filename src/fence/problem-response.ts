/** The refusals of the middleware. `type` of the problem is `urn:sluice:problem:` and this name. */
export type FenceProblem =
  | "idempotency-key-missing"
  | "idempotency-key-invalid"
  | "in-flight"
  | "outcome-unknown"
  | "stream-completed"
  | "fingerprint-mismatch"
  | "body-too-large"
  | "superseded"
  | "outcome-unrecorded"
  | "fence-unavailable"
  | "body-not-kept"
  | "copy-denied";

interface ProblemKind {
  readonly status: number;
  readonly title: string;
}

const KINDS: Readonly<Record<FenceProblem, ProblemKind>> = {
  "idempotency-key-missing": { status: 400, title: "An Idempotency-Key header is required here" },
  "idempotency-key-invalid": { status: 400, title: "The Idempotency-Key header is not usable" },
  "in-flight": { status: 409, title: "A request with this key is being processed" },
  "outcome-unknown": {
    status: 409,
    title: "An earlier request with this key stopped half-way; what it did is not known",
  },
  "stream-completed": { status: 409, title: "A streamed answer to this key was completed and is not kept" },
  "fingerprint-mismatch": { status: 422, title: "This key was used for another request" },
  "body-too-large": { status: 413, title: "The request body is too large" },
  superseded: { status: 409, title: "Another request with this key took over; this answer was discarded" },
  "outcome-unrecorded": { status: 503, title: "The request was processed but its answer could not be recorded" },
  "fence-unavailable": { status: 503, title: "Duplicate protection is unavailable; nothing was executed" },
  "copy-denied": { status: 403, title: "A copy of a request may have no effect" },
  "body-not-kept": { status: 500, title: "The body was read before the fence could; nothing was executed" },
};

/** Where the header is specified; sent with the refusals that are about the header. */
const SPECIFICATION = "https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/";

export interface ProblemDetail {
  /** What was found and what to do, as a sentence. */
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Extension members of the problem. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A problem+json answer that no cache may keep. @source RFC 9457 */
export function problemResponse(problem: FenceProblem, { detail, headers = {}, more = {} }: ProblemDetail): Response {
  const { status, title } = KINDS[problem];
  const body = JSON.stringify({ type: `urn:sluice:problem:${problem}`, title, status, detail, ...more });
  const link = status === 400 ? { link: `<${SPECIFICATION}>; rel="describedby"` } : {};
  const fixed = { "content-type": "application/problem+json", "cache-control": "no-store" };
  return new Response(body, { status, headers: { ...fixed, ...link, ...headers } });
}

/**
 * Refuses a request whose raw body is gone: without it another body under the same key could not be told apart. A fault
 * of the set-up, found with the first request.
 */
export function bodyNotKept(advice: string): Response {
  return problemResponse("body-not-kept", { detail: `The fence compares raw bodies, and this one is gone. ${advice}` });
}

/** Seconds for `Retry-After`: whole, at least 1. */
export function retryAfter(ms: number): Readonly<Record<string, string>> {
  return { "retry-after": `${Math.max(1, Math.ceil(ms / 1_000))}` };
}
