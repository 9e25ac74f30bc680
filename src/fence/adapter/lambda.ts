import type { FenceContext, Idempotency } from "../idempotency.ts";
import {
  bytesOfBase64,
  type LambdaHttpAnswer,
  type LambdaHttpEvent,
  type LambdaShape,
  requestOfEvent,
  shapeOf,
} from "./lambda-event.ts";

/** `context` is Lambda's own second argument. An answer without `statusCode` is JSON, as payload format 2.0 has it. */
export type LambdaHandler<E extends LambdaHttpEvent> = (
  event: E,
  fence: FenceContext | null,
  context: unknown,
) => Promise<unknown>;

const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

function isAnswer(given: unknown): given is LambdaHttpAnswer {
  return typeof given === "object" && given !== null && "statusCode" in given;
}

function responseOf(given: unknown): Response {
  if (!isAnswer(given)) {
    const text = typeof given === "string" ? given : JSON.stringify(given ?? null);
    return new Response(text, { headers: { "content-type": "application/json" } });
  }
  const { statusCode: status, headers = {}, multiValueHeaders = {}, cookies = [], body, isBase64Encoded } = given;
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    const isGivenAsList = Object.keys(multiValueHeaders).some((other) => other.toLowerCase() === name.toLowerCase());
    if (value === undefined || value === null || isGivenAsList) continue;
    if (name.toLowerCase() === "set-cookie") all.append(name, `${value}`);
    else all.set(name, `${value}`);
  }
  for (const [name, values] of Object.entries(multiValueHeaders))
    for (const value of values ?? []) all.append(name, `${value}`);
  for (const cookie of cookies) all.append("set-cookie", cookie);
  const hasNoBody = body === undefined || body === null || NO_BODY.has(status);
  const bytes = hasNoBody ? null : isBase64Encoded ? bytesOfBase64(body) : new TextEncoder().encode(body);
  return new Response(bytes, { status, headers: all });
}

/** UTF-8 as text, its byte order mark included; everything else as base64. */
function bodyOf(bytes: Uint8Array): Pick<LambdaHttpAnswer, "body" | "isBase64Encoded"> {
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), isBase64Encoded: false };
  } catch {
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return { body: btoa(binary), isBase64Encoded: true };
  }
}

async function answerOf(response: Response, shape: LambdaShape): Promise<LambdaHttpAnswer> {
  const body = bodyOf(new Uint8Array(await response.arrayBuffer()));
  const plain = [...response.headers].filter(([name]) => name !== "set-cookie");
  const cookies = response.headers.getSetCookie();
  const statusCode = response.status;
  if (shape === "alb-multi") {
    const lists = plain.map(([name, value]) => [name, [value]] as const);
    const all = [...lists, ...(cookies.length > 0 ? [["set-cookie", cookies] as const] : [])];
    return { statusCode, multiValueHeaders: Object.fromEntries(all), ...body };
  }
  const headers = Object.fromEntries(plain);
  if (cookies.length === 0) return { statusCode, headers, ...body };
  if (shape === "v2") return { statusCode, headers, cookies, ...body };
  if (shape === "v1") return { statusCode, headers, multiValueHeaders: { "set-cookie": cookies }, ...body };
  return { statusCode, headers: { ...headers, ...cookieHeaders(cookies) }, ...body };
}

/** A load balancer without multi-value headers takes one value a name, and names in any letter case: several names. */
function cookieHeaders(cookies: readonly string[]): Record<string, string> {
  return Object.fromEntries(cookies.map((cookie, index) => [spelling("set-cookie", index), cookie]));
}

/** One of the 512 spellings of a name by letter case. */
function spelling(name: string, index: number): string {
  let bit = 0;
  return name.replace(/[a-z]/g, (letter) => ((index >> bit++) & 1 ? letter.toUpperCase() : letter));
}

/**
 * A Lambda handler behind an HTTP API, a REST API (payload format 1.0), a load balancer or a function URL. For queue
 * events use `once` with the message's own id.
 */
export function lambdaIdempotency<E extends LambdaHttpEvent>(idempotency: Idempotency, handler: LambdaHandler<E>) {
  return async (event: E, context?: unknown): Promise<LambdaHttpAnswer> => {
    const run = async (_: Request, fence: FenceContext | null) => responseOf(await handler(event, fence, context));
    return answerOf(await idempotency.handle(requestOfEvent(event), run), shapeOf(event));
  };
}
