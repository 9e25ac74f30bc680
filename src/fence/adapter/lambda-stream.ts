import type { FenceContext, Idempotency } from "../idempotency.ts";
import { type LambdaHttpEvent, requestOfEvent } from "./lambda-event.ts";

/** The part of a Lambda response stream we use. */
export interface LambdaResponseStream {
  write(chunk: Uint8Array): boolean;
  end(): void;
  destroy(error?: Error): unknown;
  once(event: string, listener: () => void): unknown;
}

/** The part of the runtime's global `awslambda` we use. */
export interface LambdaRuntime<S> {
  readonly HttpResponseStream: { from(stream: S, head: object): LambdaResponseStream };
}

/**
 * A handler for `awslambda.streamifyResponse` behind a function URL. It returns a web-standard response; an event
 * stream, or a body above the limit, is passed on as it comes.
 */
export function lambdaStreamIdempotency<E extends LambdaHttpEvent, S>(
  idempotency: Idempotency,
  runtime: LambdaRuntime<S>,
  handler: (event: E, fence: FenceContext | null, context: unknown) => Response | Promise<Response>,
) {
  return async (event: E, stream: S, context?: unknown): Promise<void> => {
    const answer = await idempotency.handle(requestOfEvent(event), (_, fence) => handler(event, fence, context));
    const cookies = answer.headers.getSetCookie();
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => name !== "set-cookie"));
    const head = { statusCode: answer.status, headers, ...(cookies.length > 0 ? { cookies } : {}) };
    const out = runtime.HttpResponseStream.from(stream, head);
    try {
      for (const reader = answer.body?.getReader(); reader !== undefined; ) {
        const { done, value } = await reader.read();
        if (done) break;
        if (!out.write(value)) await new Promise<void>((resolve) => out.once("drain", resolve));
      }
      out.end();
    } catch (error) {
      out.destroy(error as Error); // The answer broke, or could not be recorded: it must not look whole.
    }
  };
}
