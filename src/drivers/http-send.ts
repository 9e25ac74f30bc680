import type { ResourcePlace } from "../core/cutover/resources.ts";
import { readText } from "../ports/bounded-body.ts";
import type { Clock } from "../ports/clock.ts";
import { DriverError } from "../ports/driver-error.ts";
import { readSecretFile } from "./secret-file.ts";
import { redactSecrets } from "./secrets.ts";

/** Where a product with an HTTP API is, and the clock that its deadlines are measured by. */
interface HttpPlace extends Pick<ResourcePlace, "url" | "secretFile"> {
  readonly clock: Clock;
}

const REQUEST_MS = 10_000;
const ANSWER_BYTES_MAX = 4_194_304;
const DETAIL_CHARS_MAX = 300;

interface HttpAnswer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
}

/** One request. */
interface HttpAsk {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "PURGE" | "BAN";
  /** Beside those of the place. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Below the address of the place, each part encoded. */
  readonly path: string;
  readonly body?: unknown;
  /** Answers beside 200..299 that mean something to whoever asks. */
  readonly also?: readonly number[];
}

/** Sends a request; every answer that was not asked for is a DriverError, safe to ask again where that may help. */
export type HttpSend = (ask: HttpAsk, signal: AbortSignal) => Promise<HttpAnswer>;

function refusal(driver: string, { method, path }: HttpAsk, status: number, text: string): DriverError {
  const what = `${driver}: ${method} ${path} was answered with ${status} (${redactSecrets(text).slice(0, DETAIL_CHARS_MAX)})`;
  if (status === 401 || status === 403) {
    return new DriverError("unauthorized", "never", `${what}; check the secret and its rights`);
  }
  if (status === 429 || status >= 500) return new DriverError("unreachable", "safe", `${what}; ask again later`);
  const advice = status >= 300 && status < 400 ? "redirects are not followed; give the final address" : "see its log";
  return new DriverError("rejected", "never", `${what}; ${advice}`);
}

function parsed(driver: string, { method, path }: HttpAsk, text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch (cause) {
    const found = `${driver}: ${method} ${path} was answered with what is no JSON`;
    throw new DriverError("rejected", "never", `${found}; is the address that of the product?`, cause);
  }
}

/**
 * Requests of one driver to its product. Secrets are read with each, so that a new one is taken up without a restart.
 * @param headersOf what a secret becomes; null where there is none
 * @throws DriverError `rejected` for an address that cannot be one
 */
export function httpSend(
  driver: string,
  { url, secretFile, clock }: HttpPlace,
  headersOf: (secret: string | null) => Readonly<Record<string, string>>,
): HttpSend {
  const base = URL.canParse(url) ? new URL(url) : null;
  const wrong = (why: string) => new DriverError("rejected", "never", `${driver}: ${why}`);
  if (base === null || !/^https?:$/.test(base.protocol)) throw wrong("url is not an http or https address");
  if (base.username !== "" || base.password !== "") throw wrong("url carries a password; use secretFile");
  const root = base.href.replace(/[?#].*$/, "").replace(/\/+$/, "");
  return async (ask, signal) => {
    signal.throwIfAborted();
    const until = clock.timeout(REQUEST_MS, signal);
    const headers = {
      accept: "application/json",
      ...headersOf(await readSecretFile(driver, secretFile)),
      ...ask.headers,
    };
    const body = ask.body === undefined ? {} : { body: JSON.stringify(ask.body) };
    const typed = ask.body === undefined ? headers : { ...headers, "content-type": "application/json" };
    try {
      const init = { method: ask.method, headers: typed, ...body, signal: until, redirect: "manual" } as const;
      const response = await fetch(`${root}${ask.path}`, init);
      const { kind, text } = await readText(response.body, { bytesMax: ANSWER_BYTES_MAX, until });
      until.throwIfAborted();
      if (kind !== "whole") throw new DriverError("rejected", "never", `${driver}: ${ask.path} answered without end`);
      if (!response.ok && !ask.also?.includes(response.status)) throw refusal(driver, ask, response.status, text);
      return { status: response.status, body: parsed(driver, ask, text) };
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof DriverError) throw cause;
      const what = `${driver}: ${ask.method} ${ask.path}`;
      if (until.aborted) throw new DriverError("timeout", "safe", `${what} took over ${REQUEST_MS} ms`, cause);
      const why = (cause as Error & { cause?: { code?: string } }).cause?.code ?? (cause as Error).message;
      throw new DriverError("unreachable", "safe", `${what} had no whole answer (${why})`, cause);
    }
  };
}
