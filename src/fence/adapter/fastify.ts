import type { FenceContext, Idempotency } from "../idempotency.ts";
import { bodyNotKept } from "../problem-response.ts";
import { readNodeBody } from "./node-body.ts";
import type { NodeResponse } from "./node-capture.ts";
import { sendAnswer } from "./node-deliver.ts";
import { type NodeFencedRequest, type NodeFenceOptions, type NodeStart, startExchange } from "./node-exchange.ts";
import { headersFrom, type NodeRequest, webRequestOf } from "./node-request.ts";

/** The part of a Fastify request we use. */
export interface FastifyRequest extends NodeRequest {
  readonly body?: unknown;
  /** Raw bytes, where a content-type parser keeps them. */
  readonly rawBody?: Uint8Array | string;
  /** Node's own request. */
  readonly raw?: NodeFencedRequest;
}

/** The part of a Fastify reply we use. */
export interface FastifyReply {
  readonly statusCode: number;
  code(status: number): FastifyReply;
  header(name: string, value: string | readonly string[]): FastifyReply;
  getHeaders(): Readonly<Record<string, string | number | readonly string[] | undefined>>;
  send(payload?: unknown): FastifyReply;
  hijack?(): unknown;
  /** Node's own response. */
  readonly raw?: NodeResponse;
}

export type FastifyHandler<Q extends FastifyRequest, P extends FastifyReply> = (
  request: Q,
  reply: P,
  fence: FenceContext | null,
) => unknown;

/**
 * A hook for Fastify 4 and 5: `app.post("/charges", { onRequest: fastifyFence(fence) }, handler)`. It reads the body
 * before any parser does, so parsers, multipart, hooks, error handlers and every way to reply work as ever. Handlers
 * find the context in `request.raw.fence`.
 */
export function fastifyFence(idempotency: Idempotency, options: NodeFenceOptions = {}) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const start = await begin(idempotency, request, reply, options);
    if (start.kind === "pass" || start.kind === "run") return undefined;
    return refuse(reply, start);
  };
}

/**
 * A Fastify route handler that answers each key once, where the fence has to stand behind the body parser: the parser
 * must keep the bytes in `request.rawBody`, hand over bytes or text, or leave the body unread (multipart).
 */
export function fastifyIdempotency<Q extends FastifyRequest, P extends FastifyReply>(
  idempotency: Idempotency,
  handler: FastifyHandler<Q, P>,
  options: NodeFenceOptions = {},
) {
  return async (request: Q, reply: P): Promise<unknown> => {
    if (reply.raw === undefined) return answerStub(idempotency, handler, request, reply);
    const start = await begin(idempotency, request, reply, options);
    if (start.kind === "pass") return handler(request, reply, null);
    if (start.kind !== "run") return refuse(reply, start);
    const work = (async () => handler(request, reply, start.fence))();
    start.run.work = work;
    return work;
  };
}

async function begin(
  idempotency: Idempotency,
  { body, rawBody, raw }: FastifyRequest,
  reply: FastifyReply,
  options: NodeFenceOptions,
) {
  if (raw === undefined || reply.raw === undefined) throw new Error("fence: a Fastify request and reply have `raw`");
  raw.body ??= body;
  raw.rawBody ??= rawBody;
  const start = await startExchange(idempotency, raw, reply.raw, options);
  if (start.kind === "run") raw.fence = start.fence;
  return start;
}

async function refuse(
  reply: FastifyReply,
  start: Extract<NodeStart, { kind: "answer" | "gone" }>,
): Promise<FastifyReply> {
  const isPlain = start.kind === "answer" && start.answer.headers.has("content-type");
  if (isPlain) return send(reply, start.answer);
  reply.hijack?.(); // Fastify would add a content type; or nobody is there to answer.
  if (start.kind === "answer") await sendAnswer(reply.raw as NodeResponse, start.answer);
  return reply;
}

async function send(reply: FastifyReply, answer: Response): Promise<FastifyReply> {
  reply.code(answer.status);
  for (const [name, value] of answer.headers) if (name !== "set-cookie") reply.header(name, value);
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) reply.header("set-cookie", cookies);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  reply.send(bytes.length === 0 ? undefined : bytes);
  return reply;
}

/** A reply without a Node.js response is a stand-in of a unit test: the handler's payload is its answer. */
async function answerStub<Q extends FastifyRequest, P extends FastifyReply>(
  idempotency: Idempotency,
  handler: FastifyHandler<Q, P>,
  request: Q,
  reply: P,
): Promise<FastifyReply> {
  const body = await readNodeBody(request, idempotency.requestBytesMax);
  if (body.kind !== "bytes") return send(reply, bodyNotKept("Keep the bytes in request.rawBody, or use fastifyFence."));
  const run = async (_: Request, fence: FenceContext | null) => {
    const payload = await handler(request, reply, fence);
    const isRaw = payload instanceof Uint8Array || typeof payload === "string";
    const headers = headersFrom(Object.entries(reply.getHeaders()));
    const status = reply.statusCode;
    if (payload === undefined || payload === null || [204, 205, 304].includes(status))
      return new Response(null, { status, headers });
    if (!isRaw && !headers.has("content-type")) headers.set("content-type", "application/json; charset=utf-8");
    return new Response(isRaw ? (payload as BodyInit) : JSON.stringify(payload), { status, headers });
  };
  return send(reply, await idempotency.handle(webRequestOf(request, body.bytes), run));
}
