import type { FenceContext, Idempotency } from "../idempotency.ts";

/**
 * A Next.js route handler (`app/**\/route.ts`) that answers each key once:
 * `export const POST = nextIdempotency(fence, async (request, { params }, fence) => …)`. It fits every handler that
 * takes a web-standard request and something of its platform: Remix, SvelteKit and Deno among them.
 */
export function nextIdempotency<R extends Request, C>(
  idempotency: Idempotency,
  handler: (request: R, context: C, fence: FenceContext | null) => Response | Promise<Response>,
) {
  return (request: R, context: C): Promise<Response> => {
    if (!idempotency.needsKey(request.method, (name) => request.headers.get(name))) {
      return Promise.resolve(handler(request, context, null));
    }
    // The fence reads a copy: the handler gets the framework's own request, with cookies, nextUrl and its body.
    const copy = request.bodyUsed ? request : request.clone();
    return idempotency.handle(copy, (_, fence) => handler(request, context, fence));
  };
}
