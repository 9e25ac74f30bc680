import type { FenceContext, Idempotency } from "../idempotency.ts";
import type { NodeResponse } from "./node-capture.ts";
import { sendAnswer } from "./node-deliver.ts";
import { type NodeFencedRequest, type NodeFenceOptions, startExchange } from "./node-exchange.ts";

export type NodeHandler<Q, S> = (req: Q, res: S, fence: FenceContext | null) => unknown;

/**
 * A listener for `node:http` (also HTTPS and the HTTP/2 compatibility API) that answers each key once. What the handler
 * throws before it answered is passed on after the key was given up: the returned promise rejects.
 */
export function nodeIdempotency<Q extends NodeFencedRequest, S extends NodeResponse>(
  idempotency: Idempotency,
  handler: NodeHandler<Q, S>,
  options: NodeFenceOptions = {},
) {
  return async (req: Q, res: S): Promise<void> => {
    const start = await startExchange(idempotency, req, res, options);
    if (start.kind === "pass") return void (await handler(req, res, null));
    if (start.kind === "answer") return sendAnswer(res, start.answer);
    if (start.kind === "gone") return;
    req.fence = start.fence;
    const work = (async () => handler(req, res, start.fence))();
    start.run.work = work;
    try {
      await work;
    } catch (error) {
      start.run.capture.fail(error);
      throw error;
    } finally {
      await start.run.done;
    }
  };
}
