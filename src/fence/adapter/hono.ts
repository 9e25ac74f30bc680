import type { FenceContext, Idempotency } from "../idempotency.ts";

/** The part of a Hono context we use. */
export interface HonoContext {
  readonly req: { raw: Request };
  res: Response;
  set(key: string, value: unknown): void;
}

/** Name under which handlers find their FenceContext: `c.get("fence")`. */
export const HONO_FENCE = "fence";

/** Middleware for Hono 4. Put it on the routes that change something. */
export function honoIdempotency(idempotency: Idempotency) {
  return async (c: HonoContext, next: () => Promise<void>): Promise<undefined> => {
    const answer = await idempotency.handle(c.req.raw, async (request, context: FenceContext | null) => {
      c.req.raw = request; // Its body was read for the fingerprint; this one has it again.
      c.set(HONO_FENCE, context);
      await next();
      return c.res;
    });
    if (answer === c.res) return;
    (c as { res: Response | undefined }).res = undefined; // Hono merges headers into an answer that is already there.
    c.res = answer;
  };
}
