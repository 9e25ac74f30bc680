import { type ErrorStage, errorClassOf } from "../core/window/error-class.ts";
import type { Access } from "../ports/access.ts";
import type { Clock } from "../ports/clock.ts";
import { DriverError } from "../ports/driver-error.ts";
import { type CheckedAnswer, checkAnswer } from "./answer-schema.ts";
import { bodyDocument } from "./body-document.ts";
import { excerptOf, readBody } from "./body-text.ts";
import { type MappedRequest, type ProbeQuestion, requestOf, type TargetMap } from "./map.ts";
import { mappedAnswer } from "./mapped-answer.ts";

/** The part of `fetch` that probes use. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A service that answers questions. */
export interface ProbeTarget {
  /** Endpoint of answers. */
  readonly url: string;
  /**
   * Digest of everything that shapes an answer (the arm's manifest). Answers are reused while it is unchanged; null
   * when it is not known, then they never are.
   */
  readonly pins: string | null;
  /** Null for the default contract. */
  readonly map: TargetMap | null;
  /** Credentials and connection; null for an open service. */
  readonly access?: Access | null;
}

/** How one run went: every way of failing is a value, because a failed run is counted. */
export type TargetResult =
  | Extract<CheckedAnswer, { kind: "answer" }>
  | (Extract<CheckedAnswer, { kind: "schema-violation" }> & { readonly excerpt: string })
  | { readonly kind: "error"; readonly errorClass: string; readonly excerpt: string | null };

export interface AskOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Longest time for the whole answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** How much is read of an answer that was refused; its beginning is kept for people. */
const REFUSAL_BYTES_MAX = 4_096;

/** Marks probes and asks every cache on the way to stay out of it. @source definitions.md §2 */
const PROBE_HEADERS: Readonly<Record<string, string>> = {
  accept: "application/json",
  "cache-control": "no-cache",
  "x-bypass-cache": "1",
};
const ACCEPTS: Readonly<Record<string, string>> = {
  text: "text/plain",
  sse: "text/event-stream",
  ndjson: "application/x-ndjson",
};

/** What was sent and what came back, for people; secrets are not in it. */
export interface Conversation {
  readonly request: MappedRequest & { readonly headerNames: readonly string[] };
  /** Null when no status came. */
  readonly status: number | null;
  readonly contentType: string | null;
  /** The whole text that was read, without secrets; null when nothing came. */
  readonly text: string | null;
  readonly tookMs: number;
  readonly result: TargetResult;
}

/**
 * Asks a service one question. A failed conversation is an `error` with its class; an answer that breaks the contract
 * is a `schema-violation`. Rejects when `signal` aborts, and with DriverError when the credentials cannot be had: then
 * the run never took place.
 */
export async function askTarget(
  target: ProbeTarget,
  question: ProbeQuestion,
  options: AskOptions,
): Promise<TargetResult> {
  return (await converse(target, question, options)).result;
}

/** The same, with everything that was said. */
export async function converse(
  target: ProbeTarget,
  question: ProbeQuestion,
  options: AskOptions,
): Promise<Conversation> {
  options.signal.throwIfAborted();
  const { access = null, map } = target;
  const request = requestOf(target.url, question, map);
  const startMs = options.clock.monoMs();
  const heard = { status: null as number | null, contentType: null as string | null, text: null as string | null };
  let headerNames: readonly string[] = [];
  const run = new AbortController();
  const onAbort = (): void => run.abort();
  options.signal.addEventListener("abort", onAbort, { once: true });
  let [stage, isLate]: [ErrorStage, boolean] = ["headers", false];
  const timer = new AbortController();
  void options.clock.sleep(options.timeoutMs, timer.signal).then(() => {
    if (timer.signal.aborted) return;
    isLate = true;
    run.abort();
  });
  const told = (result: TargetResult): Conversation => {
    return { request: { ...request, headerNames }, ...heard, tookMs: options.clock.monoMs() - startMs, result };
  };
  try {
    const headers = headersOf(request, map);
    headerNames = [...Object.keys(headers), ...(access?.headerNames ?? [])];
    const send: Fetch = access === null ? options.fetch : (url, init) => access.fetch(url, init);
    const response = await send(request.url, {
      method: request.method,
      headers,
      ...(request.body === null ? {} : { body: JSON.stringify(request.body) }),
      redirect: "manual",
      signal: run.signal,
    });
    stage = "body";
    heard.status = response.status;
    heard.contentType = response.headers.get("content-type");
    const body = await readBody(response, response.ok ? ANSWER_BYTES_MAX : REFUSAL_BYTES_MAX, response.ok);
    heard.text = access === null ? body.text : access.redact(body.text);
    if (!response.ok) {
      return told(failed("headers", response.status >= 500 ? "5xx" : "other", response.status, heard.text));
    }
    if (!body.isWhole) return told(failed("body", "other", "too-large", heard.text));
    return told(understand(body.text, heard.text, map, question.k));
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof DriverError) throw error;
    if (isLate) return told(failed(stage, "timeout", "deadline", heard.text));
    const code = networkCode(error);
    return told(failed(stage === "headers" ? stageOf(code) : stage, "network", code, heard.text));
  } finally {
    timer.abort();
    options.signal.removeEventListener("abort", onAbort);
  }
}

function headersOf({ body }: MappedRequest, map: TargetMap | null): Readonly<Record<string, string>> {
  const accept = ACCEPTS[map?.response.format ?? "json"];
  return {
    ...PROBE_HEADERS,
    ...(accept === undefined ? {} : { accept }),
    ...(body === null ? {} : { "content-type": "application/json" }),
  };
}

function failed(
  stage: ErrorStage,
  family: "5xx" | "timeout" | "network" | "other",
  code: string | number,
  answered: string | null,
): TargetResult {
  const excerpt = answered === null ? null : excerptOf(answered);
  return { kind: "error", errorClass: errorClassOf(stage, family, code), excerpt };
}

function understand(text: string, shown: string, map: TargetMap | null, k: number): TargetResult {
  const format = map?.response.format ?? "json";
  const document = bodyDocument(text, format);
  if (document === undefined) return failed("body", "other", `not-${format}`, shown);
  if (map === null) return withExcerpt(checkAnswer(document, k), shown);
  const { answer, nowhere } = mappedAnswer(document, map);
  const checked = checkAnswer(answer, k);
  if (checked.kind === "answer") return checked;
  return withExcerpt({ ...checked, detail: nowhere.get(checked.field) ?? checked.detail }, shown);
}

function withExcerpt(checked: CheckedAnswer, shown: string): TargetResult {
  return checked.kind === "answer" ? checked : { ...checked, excerpt: excerptOf(shown) };
}

/** The code a client keeps inside the cause of a failed fetch. */
function networkCode(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  if (typeof cause?.code === "string") return cause.code;
  return typeof code === "string" ? code : "failed";
}

function stageOf(code: string): ErrorStage {
  if (/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/.test(code))
    return "connect";
  return /^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code) ? "tls" : "headers";
}
