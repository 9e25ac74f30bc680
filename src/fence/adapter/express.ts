import { assert } from "../../core/assert.ts";
import type { FenceContext, Idempotency } from "../idempotency.ts";
import { type NodeRequest, rawBytes, webRequestOf } from "./node-request.ts";

/** The part of an Express request we use. */
export interface ExpressRequest extends NodeRequest {
  /** Raw bytes (`express.raw({ type: () => true })`), unless `rawBody` has them. */
  body?: unknown;
  /** Raw bytes kept by a parser: `express.json({ verify: (req, _res, bytes) => { req.rawBody = bytes } })`. */
  rawBody?: Uint8Array;
  fence?: FenceContext | null;
}

/** The part of an Express (Node.js) response we use. */
export interface ExpressResponse {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: string, value: string | readonly string[]): unknown;
  getHeaders(): Readonly<Record<string, string | number | readonly string[] | undefined>>;
  /** `any`: Node's overloads take a chunk, an encoding and a callback in any legal combination. */
  write(...given: any[]): boolean;
  end(...given: any[]): unknown;
  writeHead(...given: any[]): unknown;
  flushHeaders(): void;
  on(event: "close", listener: () => void): unknown;
}

type Ended = (...given: unknown[]) => void;

function chunkOf(given: readonly unknown[]): Uint8Array {
  const [chunk, encoding] = given;
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk !== "string") return new Uint8Array(0);
  const isText = typeof encoding !== "string" || encoding === "utf8" || encoding === "utf-8";
  return isText ? new TextEncoder().encode(chunk) : Uint8Array.from(chunk, (character) => character.charCodeAt(0));
}

/**
 * Collects what a handler writes as one web response. Nothing reaches the client before the fence has stored it; a
 * handler that streams is collected as well, so keep endless streams off these routes.
 */
function capture(res: ExpressResponse): Promise<Response> {
  const chunks: Uint8Array[] = [];
  const own = { write: res.write, end: res.end, writeHead: res.writeHead, flushHeaders: res.flushHeaders };
  return new Promise((resolve, reject) => {
    res.write = (...given) => {
      chunks.push(chunkOf(given));
      callbackOf(given)?.();
      return true;
    };
    res.end = (...given) => {
      chunks.push(chunkOf(given));
      Object.assign(res, own);
      resolve(new Response(bodyOf(res.statusCode, chunks), { status: res.statusCode, headers: headersOf(res) }));
      callbackOf(given)?.();
      return res;
    };
    res.writeHead = (status: number, ...given: unknown[]) => {
      res.statusCode = status;
      setHeaders(res, given.at(-1));
      return res;
    };
    res.flushHeaders = () => {}; // Nothing leaves before it is stored.
    res.on("close", () => reject(new Error("fence: the connection closed before the handler answered")));
  });
}

function callbackOf(given: readonly unknown[]): Ended | undefined {
  const last = given.at(-1);
  return typeof last === "function" ? (last as Ended) : undefined;
}

/** Headers as `writeHead` takes them: an object, or names and values in turn. */
function setHeaders(res: ExpressResponse, given: unknown): void {
  if (Array.isArray(given)) {
    for (let index = 0; index + 1 < given.length; index += 2) res.setHeader(String(given[index]), given[index + 1]);
  } else if (typeof given === "object" && given !== null) {
    for (const [name, value] of Object.entries(given)) if (value !== undefined) res.setHeader(name, value as string);
  }
}

function bodyOf(status: number, chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> | null {
  if (status === 204 || status === 205 || status === 304) return null;
  const joined = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

function headersOf(res: ExpressResponse): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(res.getHeaders())) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value])
      headers.append(name, `${one as string}`);
  }
  return headers;
}

async function send(res: ExpressResponse, answer: Response): Promise<void> {
  res.statusCode = answer.status;
  for (const [name, value] of answer.headers) if (name !== "set-cookie") res.setHeader(name, value);
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) res.setHeader("set-cookie", cookies);
  res.end(new Uint8Array(await answer.arrayBuffer()));
}

/** Middleware for Express 4 and 5, after the raw body parser and after authentication. */
export function expressIdempotency(idempotency: Idempotency) {
  return (req: ExpressRequest, res: ExpressResponse, next: (error?: unknown) => void): void => {
    const body = req.rawBody === undefined ? rawBytes(req.body) : new Uint8Array(req.rawBody);
    assert(
      body !== null,
      "fence/express: the raw body is gone; keep it with express.raw() or a `verify` that sets rawBody",
    );
    let ran = false;
    const run = (_: Request, context: FenceContext | null) => {
      ran = true;
      req.fence = context;
      const captured = capture(res);
      next();
      return captured;
    };
    const isDisconnect = () => ran && res.headersSent;
    idempotency
      .handle(webRequestOf(req, body), run)
      .then((answer) => send(res, answer))
      .catch((error: unknown) => (isDisconnect() ? undefined : next(error)));
  };
}
