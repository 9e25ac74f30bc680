import { assert } from "../../core/assert.ts";
import { readText } from "../../ports/bounded-body.ts";
import type { Clock } from "../../ports/clock.ts";
import { DriverError } from "../../ports/driver-error.ts";
import { authorization, type TokenSource } from "./token.ts";

const TIMEOUT_MS = 5_000;
const ANSWER_BYTES_MAX = 1_048_576;
const DETAIL_CHARS_MAX = 300;

/** What every metric source may be told about its server. */
export interface ConnectionConfig {
  /** http or https, without user name and password: a secret in an address ends in logs. */
  readonly url: string;
  readonly clock: Clock;
  /** Sent as `Authorization: Bearer`. `tokenFile` reads one from a file. Without it no header is sent. */
  readonly token?: TokenSource;
  /** One reading, from the first byte sent to the last one read, whatever it takes. Default 5 000. */
  readonly timeoutMs?: number;
  /** Longest answer, unpacked. Default 1 048 576. */
  readonly answerBytesMax?: number;
  /** Default: the runtime's own. */
  readonly fetch?: typeof fetch;
  /** Takes secrets out of what a server answers, before people read it. Default: leaves it as it is. */
  readonly redact?: (text: string) => string;
}

/** One request: a GET without a form and a body. `search` is added to what the address has. */
export interface Ask {
  readonly search?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly body?: { readonly type: string; readonly text: string };
  /** Beside `Accept: application/json`, which they may replace. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends one request and returns the body of a 200. Everything else is a `DriverError`. */
export type Send = (ask: Ask) => Promise<string>;

/** Why a product says no: its credentials, its state, or the question itself. */
export type Meaning = "unauthorized" | "busy" | "rejected";

/** How a product says no. */
export interface Refusals {
  /** What a refusal's body says to people; the empty text when that is not known. */
  detailOf(body: string): string;
  /** What a body means whose status says something else, 200 included; null when the status is right. */
  meaningOf?(status: number, body: string): Meaning | null;
}

/** One server as a metric source sees it. */
export interface Connection {
  /** Runs one reading under its deadline. */
  read<T>(work: (send: Send) => Promise<T>): Promise<T>;
}

interface Place {
  readonly driver: string;
  readonly url: URL;
  readonly refusals: Refusals;
  readonly redact: (text: string) => string;
}

/** Address without the query, which may carry keys. */
const placeText = ({ driver, url }: Place) => `${driver}: ${url.origin}${url.pathname}`;

function checkedUrl(driver: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  assert(url !== null && /^https?:$/.test(url.protocol), `${driver}: url is not an http or https address`);
  assert(url.username === "" && url.password === "", `${driver}: url carries a password; use the token option`);
  return url;
}

function timeout(place: Place, timeoutMs: number): DriverError {
  const what = `${placeText(place)} took longer than ${timeoutMs} ms; ask again, or raise timeoutMs`;
  return new DriverError("timeout", "safe", what);
}

function refusal(place: Place, response: Response, body: string): DriverError {
  const { status } = response;
  const detail = place.redact(place.refusals.detailOf(body)).slice(0, DETAIL_CHARS_MAX);
  const meaning = place.refusals.meaningOf?.(status, body) ?? null;
  const what = `${placeText(place)} answered ${status}${detail === "" ? "" : ` (${detail})`}`;
  if (meaning === "unauthorized" || (meaning === null && (status === 401 || status === 403)))
    return new DriverError("unauthorized", "never", `${what}; check the token and its rights`);
  if (meaning === "busy" || (meaning === null && (status === 429 || status >= 500)))
    return new DriverError("unreachable", "safe", `${what}; ask again later`);
  if (response.type === "opaqueredirect" || (status >= 300 && status < 400)) {
    const to = response.headers.get("location") ?? "";
    const origin = URL.canParse(to, place.url.href) ? new URL(to, place.url.href).origin : "an unreadable address";
    const advice = "redirects are not followed, so give the final address";
    return new DriverError("rejected", "never", `${what}, a redirect to ${origin}; ${advice}`);
  }
  const expected = meaning === null ? "expected 200" : "correct the query";
  return new DriverError("rejected", "never", `${what}; ${expected}`);
}

/** A reading's reason may quote what the server answered with status 200. */
function withoutSecrets<T>(reading: T, redact: (text: string) => string): T {
  const reason = typeof reading === "object" && reading !== null && "reason" in reading ? reading.reason : undefined;
  return typeof reason === "string" ? { ...reading, reason: redact(reason) } : reading;
}

/** Opens nothing yet: every reading makes its own requests. Throws on an address that cannot be one. */
export function connect(driver: string, config: ConnectionConfig, path: string, refusals: Refusals): Connection {
  const { timeoutMs = TIMEOUT_MS, answerBytesMax = ANSWER_BYTES_MAX, token, fetch: fetcher = fetch } = config;
  const { redact = (text: string) => text } = config;
  const url = checkedUrl(driver, config.url);
  if (path !== "") url.pathname = url.pathname.replace(/\/+$/, "") + path;
  const place: Place = { driver, url, refusals, redact };

  async function send(ask: Ask, signal: AbortSignal): Promise<string> {
    const headers = new Headers({ accept: "application/json" });
    if (ask.body !== undefined) headers.set("content-type", ask.body.type);
    for (const [name, value] of Object.entries(ask.headers ?? {})) headers.set(name, value);
    if (token !== undefined) headers.set("authorization", await authorization(driver, token));
    const to = new URL(url);
    for (const [name, value] of Object.entries(ask.search ?? {})) to.searchParams.set(name, value);
    const text = ask.form === undefined ? ask.body?.text : new URLSearchParams(ask.form);
    const body = text === undefined ? {} : { method: "POST", body: text };
    try {
      const response = await fetcher(to, { ...body, headers, signal, redirect: "manual", cache: "no-store" });
      const { kind, text } = await readText(response.body, { bytesMax: answerBytesMax, until: signal });
      const isRefused = response.status !== 200 || (refusals.meaningOf?.(200, text) ?? null) !== null;
      if (isRefused) throw refusal(place, response, text);
      if (kind === "whole") return text;
      if (kind === "late") throw timeout(place, timeoutMs);
      const advice = "ask for one number, or raise answerBytesMax";
      throw new DriverError(
        "rejected",
        "never",
        `${placeText(place)} answered over ${answerBytesMax} bytes; ${advice}`,
      );
    } catch (error) {
      if (error instanceof DriverError) throw error;
      const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
      const why = cause?.code ?? cause?.message ?? message;
      throw new DriverError("unreachable", "safe", `${placeText(place)} gave no whole answer (${why})`, error);
    }
  }

  return {
    async read(work) {
      const signal = config.clock.timeout(timeoutMs);
      const late = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(timeout(place, timeoutMs)), { once: true });
      });
      return withoutSecrets(await Promise.race([late, work((ask) => send(ask, signal))]), redact);
    },
  };
}
