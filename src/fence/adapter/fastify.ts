import { assert } from "../../core/assert.ts";
import type { FenceContext, Idempotency } from "../idempotency.ts";
import { type NodeRequest, rawBytes, webRequestOf } from "./node-request.ts";

/** The part of a Fastify request we use. `rawBody` is set by a content-type parser that keeps the bytes. */
export interface FastifyRequest extends NodeRequest {
  readonly body?: unknown;
  readonly rawBody?: Uint8Array | string;
}

/** The part of a Fastify reply we use. */
export interface FastifyReply {
  readonly statusCode: number;
  code(status: number): FastifyReply;
  header(name: string, value: string | readonly string[]): FastifyReply;
  getHeaders(): Readonly<Record<string, string | number | readonly string[] | undefined>>;
  send(payload?: unknown): FastifyReply;
}

/** Returns its payload (an object, text or bytes); sets status and headers on the reply; never calls `reply.send`. */
export type FastifyHandler<Q extends FastifyRequest, P extends FastifyReply> = (
  request: Q,
  reply: P,
  fence: FenceContext | null,
) => Promise<unknown>;

function responseOf(reply: FastifyReply, payload: unknown): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value])
      headers.append(name, `${one as string}`);
  }
  const status = reply.statusCode;
  if (payload === undefined || payload === null || status === 204 || status === 304)
    return new Response(null, { status, headers });
  const raw = rawBytes(payload);
  if (raw === null && !headers.has("content-type")) headers.set("content-type", "application/json; charset=utf-8");
  return new Response(raw ?? JSON.stringify(payload), { status, headers });
}

/** A Fastify route handler that answers each key once. Use it per route: `app.post("/charges", fastifyIdempotency(…))`. */
export function fastifyIdempotency<Q extends FastifyRequest, P extends FastifyReply>(
  idempotency: Idempotency,
  handler: FastifyHandler<Q, P>,
) {
  return async (request: Q, reply: P): Promise<P> => {
    const body = rawBytes(request.rawBody ?? request.body);
    assert(body !== null, "fence/fastify: the raw body is gone; keep it in request.rawBody with a content-type parser");
    const run = async (_: Request, fence: FenceContext | null) =>
      responseOf(reply, await handler(request, reply, fence));
    const answer = await idempotency.handle(webRequestOf(request, body), run);
    reply.code(answer.status);
    for (const [name, value] of answer.headers) if (name !== "set-cookie") reply.header(name, value);
    const cookies = answer.headers.getSetCookie();
    if (cookies.length > 0) reply.header("set-cookie", cookies);
    reply.send(new Uint8Array(await answer.arrayBuffer()));
    return reply;
  };
}
