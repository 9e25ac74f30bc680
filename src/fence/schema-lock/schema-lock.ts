import type { Serves } from "../../core/routing/schema-lock.ts";
import type { SchemaProblem } from "../../core/routing/schema-lock-problem.ts";
import { notExecuted } from "../idempotency.ts";
import { checkPins, checkServes, readPins, servedHeaders } from "./check-pins.ts";

export interface SchemaLockOptions {
  /**
   * What this revision serves. A function is asked for every request: an index that is swapped while the service runs.
   */
  readonly serves: Serves | (() => Serves);
  /** True lets a request through that lacks a pin; one that is there is compared all the same. Default false: 400. */
  readonly allowMissing?: boolean;
  /** False exempts a request, e.g. a health check or a CORS preflight. Default: every request is checked. */
  readonly applies?: (request: Request) => boolean;
  /** Called once for each refusal, for counters and logs. Must not throw. */
  readonly onRefuse?: (problem: SchemaProblem, request: Request) => void;
}

/**
 * A handler on any web-standard runtime; `rest` is whatever the runtime or a framework hands over beside the request.
 */
export type LockedHandler<Rest extends readonly unknown[]> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>;

/**
 * Middleware that lets a request reach `handler` only when this revision serves its SCHEMA_REV, INDEX_HASH and
 * MODEL_TAG. Otherwise nothing is executed and the answer is problem+json: 400 for a pin that is missing or malformed,
 * 409 with the differences for one of another revision. Every answer carries the pins of the service.
 *
 * Headers of a public client prove nothing: stand behind a data plane that deletes what it does not trust. Together
 * with `idempotency` either order works; a refusal is never stored under a key.
 * Throws a TypeError when `serves` is not usable; a `serves` function that answers nonsense rejects the request.
 * @source requirements.md SL-1, SL-2, X-13
 */
export function schemaLock(options: SchemaLockOptions) {
  const { serves: given, allowMissing = false, applies, onRefuse } = options;
  let checked = typeof given === "function" ? null : checkServes(given);

  function servesNow(): Serves {
    const serves = typeof given === "function" ? given() : given;
    if (serves !== checked) checked = checkServes(serves);
    return serves;
  }

  return <Rest extends readonly unknown[]>(handler: LockedHandler<Rest>) =>
    async (request: Request, ...rest: Rest): Promise<Response> => {
      const serves = servesNow(); // Once: an index swapped meanwhile is the next request's.
      if (applies?.(request) ?? true) {
        const verdict = checkPins(
          readPins((name) => request.headers.get(name)),
          serves,
          { allowMissing },
        );
        if (verdict.kind === "refused") {
          onRefuse?.(verdict.problem, request);
          return stamped(notExecuted(refusal(verdict.problem)), serves);
        }
      }
      return stamped(await handler(request, ...rest), serves);
    };
}

function refusal(problem: SchemaProblem): Response {
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

function stamped(response: Response, serves: Serves): Response {
  const pins = Object.entries(servedHeaders(serves));
  try {
    for (const [name, value] of pins) response.headers.set(name, value);
    return response; // The same object, because others may have marked it.
  } catch {
    const copy = new Response(response.body, response); // What came from fetch has headers that cannot be changed.
    for (const [name, value] of pins) copy.headers.set(name, value);
    return copy;
  }
}
