import type { Idempotency } from "../idempotency.ts";
import type { NodeResponse } from "./node-capture.ts";
import { sendAnswer } from "./node-deliver.ts";
import { type NodeFencedRequest, type NodeFenceOptions, startExchange } from "./node-exchange.ts";
import { headerOf } from "./node-request.ts";

/** The part of an Express request we use. */
export type ExpressRequest = NodeFencedRequest;

/** The part of an Express (Node.js) response we use. */
export type ExpressResponse = NodeResponse;

/**
 * Middleware for Express 4 and 5, NestJS, Connect and everything else that calls `(req, res, next)` of Node.js. Put it
 * after authentication and before the body parsers; behind a parser it needs the raw bytes in `rawBody`.
 */
export function expressIdempotency(idempotency: Idempotency, options: NodeFenceOptions = {}) {
  return (req: ExpressRequest, res: ExpressResponse, next: (error?: unknown) => void): void => {
    if (!idempotency.needsKey(req.method ?? "GET", (name) => headerOf(req, name))) return next();
    startExchange(idempotency, req, res, options)
      .then((start) => {
        if (start.kind === "pass") return next();
        if (start.kind === "answer") return sendAnswer(res, start.answer);
        if (start.kind === "gone") return;
        req.fence = start.fence;
        next();
      })
      .catch(next);
  };
}
