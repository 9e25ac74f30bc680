import type { FenceContext, Idempotency } from "../idempotency.ts";

/** The part of an API Gateway HTTP API event (payload format 2.0) or function URL event we use. */
export interface LambdaHttpEvent {
  readonly rawPath: string;
  readonly rawQueryString?: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: { readonly http: { readonly method: string }; readonly domainName?: string };
}

export interface LambdaHttpAnswer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

export type LambdaHandler<E extends LambdaHttpEvent> = (
  event: E,
  fence: FenceContext | null,
) => Promise<LambdaHttpAnswer>;

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

function requestOf(event: LambdaHttpEvent): Request {
  const { method } = event.requestContext.http;
  const query = event.rawQueryString ? `?${event.rawQueryString}` : "";
  const url = `https://${event.requestContext.domainName ?? "lambda.invalid"}${event.rawPath}${query}`;
  const headers = new Headers();
  for (const [name, value] of Object.entries(event.headers)) if (value !== undefined) headers.set(name, value);
  const { body } = event;
  if (body === undefined || body === null || method === "GET" || method === "HEAD")
    return new Request(url, { method, headers });
  return new Request(url, { method, headers, body: event.isBase64Encoded ? bytesOf(body) : body });
}

function responseOf(answer: LambdaHttpAnswer): Response {
  const { statusCode: status, headers = {}, body, isBase64Encoded } = answer;
  const hasNoBody = body === undefined || status === 204 || status === 304;
  return new Response(hasNoBody ? null : isBase64Encoded ? bytesOf(body) : body, { status, headers });
}

async function answerOf(response: Response): Promise<LambdaHttpAnswer> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const [statusCode, headers] = [response.status, Object.fromEntries(response.headers)];
  try {
    return {
      statusCode,
      headers,
      body: new TextDecoder("utf-8", { fatal: true }).decode(bytes),
      isBase64Encoded: false,
    };
  } catch {
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return { statusCode, headers, body: btoa(binary), isBase64Encoded: true };
  }
}

/** A Lambda handler behind an HTTP API or a function URL. For queue events use `once` with the message's own id. */
export function lambdaIdempotency<E extends LambdaHttpEvent>(idempotency: Idempotency, handler: LambdaHandler<E>) {
  return async (event: E): Promise<LambdaHttpAnswer> => {
    const run = async (_: Request, fence: FenceContext | null) => responseOf(await handler(event, fence));
    return answerOf(await idempotency.handle(requestOf(event), run));
  };
}
