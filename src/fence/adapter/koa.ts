import type { FenceContext, Idempotency } from "../idempotency.ts";
import type { NodeResponse } from "./node-capture.ts";
import { applyHead } from "./node-deliver.ts";
import { type NodeFencedRequest, type NodeFenceOptions, startExchange } from "./node-exchange.ts";

/** The part of a Koa context we use. */
export interface KoaContext {
  readonly req: NodeFencedRequest;
  readonly res: NodeResponse;
  readonly request: { body?: unknown; rawBody?: unknown };
  readonly state: Record<string, unknown>;
  status: number;
  body: unknown;
}

/** Where handlers find their FenceContext: `ctx.state.fence`. */
export const KOA_FENCE = "fence";

/** Middleware for Koa 2 and 3. Put it after authentication and before the body parser. */
export function koaIdempotency(idempotency: Idempotency, options: NodeFenceOptions = {}) {
  return async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
    const { req, res, request } = ctx;
    if (req.rawBody === undefined && typeof request.rawBody === "string") req.rawBody = request.rawBody;
    const start = await startExchange(idempotency, req, res, options);
    if (start.kind === "pass") return void (await next());
    if (start.kind === "gone") return;
    if (start.kind === "answer") {
      const body = new Uint8Array(await start.answer.arrayBuffer());
      ctx.body = body.length === 0 ? null : asBuffer(body);
      if (!start.answer.headers.has("content-type")) res.removeHeader("content-type");
      applyHead(res, start.answer); // After the body: Koa sets status and type with it.
      return;
    }
    ctx.state[KOA_FENCE] = start.fence satisfies FenceContext;
    // Koa does not answer a client that left; the answer is wanted all the same.
    Object.defineProperty(ctx, "writable", { get: () => !start.run.capture.isEnded, configurable: true });
    start.run.work = next();
    await start.run.work; // Koa answers afterwards, into what is collected; its error handler too.
  };
}

/** Koa sends a Node.js Buffer as it is. */
function asBuffer(bytes: Uint8Array): unknown {
  const { Buffer } = globalThis as unknown as { Buffer?: { from(bytes: Uint8Array): unknown } };
  return Buffer?.from(bytes) ?? bytes;
}
