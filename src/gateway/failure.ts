import { type ErrorStage, errorClassOf } from "../core/window/error-class.ts";
import type { ErrorClass } from "../core/window/window.ts";
import type { OwnAnswer } from "./own-answer.ts";

/** How far a request got before it failed. */
export type Progress = "connect" | "headers" | "body";

/** What a failed conversation with an endpoint means. */
export interface UpstreamFailure {
  readonly errorClass: ErrorClass;
  readonly isTimeout: boolean;
  /** The service did nothing wrong: the gateway cut it, or cannot read what the service may send. */
  readonly isOurs: boolean;
  /** It sent 100 Continue, which a client must expect at any time and ours does not. */
  readonly isInterim: boolean;
  /** The request itself cannot be sent by the HTTP client: the client's doing, not the arm's. */
  readonly isUnsendable: boolean;
}

const TIMEOUTS: ReadonlySet<string> = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "ETIMEDOUT",
]);
/**
 * A peer that goes away shows as any of these, by timing alone; one fault must be one class, or chance would look like
 * a new error class.
 */
const GONE: ReadonlySet<string> = new Set([
  "UND_ERR_SOCKET",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
  "HPE_INVALID_EOF_STATE",
  "ECONNRESET",
  "EPIPE",
]);
const OURS: ReadonlySet<string> = new Set(["UND_ERR_DESTROYED", "UND_ERR_CLOSED"]);
/** What undici says when a service sends 100 Continue unasked (lib/dispatcher/client-h1.js, `onHeadersComplete`). */
const UNREAD_INTERIM = "bad response";
const UNSENDABLE: ReadonlySet<string> = new Set(["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED"]);
const TLS = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO)/;

/**
 * Names what went wrong by stage, family and code.
 * @source undici 7 error codes (docs/api/Errors.md); Node.js system and parser error codes
 */
export function upstreamFailure(error: unknown, progress: Progress): UpstreamFailure {
  const code = codeOf(error);
  const isTimeout = TIMEOUTS.has(code);
  const stage: ErrorStage = progress === "connect" && TLS.test(code) ? "tls" : progress;
  const errorClass = isTimeout
    ? errorClassOf(progress, "timeout", "ETIMEDOUT")
    : errorClassOf(stage, "network", networkCode(code));
  const isInterim = code === "UND_ERR_SOCKET" && (error as Error).message === UNREAD_INTERIM;
  return {
    errorClass,
    isTimeout,
    isOurs: isInterim || OURS.has(code),
    isInterim,
    isUnsendable: progress === "connect" && UNSENDABLE.has(code),
  };
}

function networkCode(code: string): string {
  if (GONE.has(code)) return "ECONNRESET";
  return code.startsWith("HPE_") ? "EPROTO" : code;
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "other";
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "other";
}

/** Only what cannot have had an effect, or is safe by its method; never after the first byte of an answer. */
export function isRepeatable(failure: UpstreamFailure, progress: Progress, method: string, hasBody: boolean): boolean {
  if (progress === "connect") return true;
  if (progress !== "headers" || failure.isTimeout || hasBody) return false;
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

/** The endpoint of a request went away under it. */
export const REPLACED: OwnAnswer = {
  status: 503,
  code: "replaced",
  detail: "the endpoint left the routing document; send the request again",
};

const UNREAD: OwnAnswer = {
  status: 502,
  code: "interim-answer",
  detail: "the service sent 100 Continue without being asked, which the gateway cannot read; turn that off there",
};

/** What a client is told instead of the answer. */
export function ownAnswerFor(failure: UpstreamFailure, progress: Progress, arm: string): OwnAnswer {
  if (failure.isInterim) return UNREAD;
  if (failure.isOurs) return REPLACED;
  const what = progress === "connect" ? "could not be reached" : "gave no complete answer";
  return failure.isTimeout
    ? { status: 504, code: "upstream-timeout", detail: `the ${arm} arm ${what} in time` }
    : { status: 502, code: "upstream-failure", detail: `the ${arm} arm ${what}` };
}
