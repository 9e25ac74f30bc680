import { type ErrorStage, errorClassOf } from "../core/window/error-class.ts";
import type { Clock } from "../ports/clock.ts";
import { type CheckedAnswer, checkAnswer } from "./answer-schema.ts";
import { mappedAnswer, type ProbeQuestion, requestBody, type TargetMap } from "./map.ts";

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
  /** Sent besides the probe's own headers, such as credentials. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** How one run went: every way of failing is a value, because a failed run is counted. */
export type TargetResult = CheckedAnswer | { readonly kind: "error"; readonly errorClass: string };

export interface AskOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Longest time for the whole answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

/** Marks probes and asks every cache on the way to stay out of it. @source definitions.md §2 */
const PROBE_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "application/json",
  accept: "application/json",
  "cache-control": "no-cache",
  "x-bypass-cache": "1",
};

/**
 * Asks a service one question. A failed conversation is an `error` with its class; a JSON answer that breaks the
 * contract is a `schema-violation`. Rejects only when `signal` aborts: then the run never took place.
 */
export async function askTarget(
  target: ProbeTarget,
  question: ProbeQuestion,
  options: AskOptions,
): Promise<TargetResult> {
  options.signal.throwIfAborted();
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
  try {
    const response = await options.fetch(target.url, {
      method: "POST",
      headers: { ...PROBE_HEADERS, ...target.headers },
      body: JSON.stringify(requestBody(question, target.map)),
      redirect: "manual",
      signal: run.signal,
    });
    stage = "body";
    if (!response.ok) {
      await response.body?.cancel();
      return failed("headers", response.status >= 500 ? "5xx" : "other", response.status);
    }
    return understand(await readText(response), target.map, question.k);
  } catch (error) {
    options.signal.throwIfAborted();
    if (isLate) return failed(stage, "timeout", "deadline");
    const code = networkCode(error);
    return failed(stage === "headers" ? stageOf(code) : stage, "network", code);
  } finally {
    timer.abort();
    options.signal.removeEventListener("abort", onAbort);
  }
}

function failed(
  stage: ErrorStage,
  family: "5xx" | "timeout" | "network" | "other",
  code: string | number,
): TargetResult {
  return { kind: "error", errorClass: errorClassOf(stage, family, code) };
}

function understand(text: string | null, map: TargetMap | null, k: number): TargetResult {
  if (text === null) return failed("body", "other", "too-large");
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return failed("body", "other", "not-json");
  }
  return checkAnswer(map === null ? body : mappedAnswer(body, map), k);
}

/** The body as text; null, and the rest unread, when it is larger than an answer may be. */
async function readText(response: Response): Promise<string | null> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > ANSWER_BYTES_MAX) {
      await reader.cancel();
      return null;
    }
    text += decoder.decode(value, { stream: true });
  }
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
