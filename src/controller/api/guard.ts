import type { MiddlewareHandler } from "hono";
import { mayDo, scopesWith } from "../../contract/scope.ts";
import type { TokenBook } from "../token-book.ts";
import { problemResponse } from "./problem.ts";
import { rightOf } from "./scope.ts";

export interface GuardOptions {
  readonly tokens: TokenBook;
  /** `host:port` values a request may name, read at each request: the port is known only after listening. */
  readonly allowedHosts: readonly string[];
  /** True when `/metrics` may be read without a token. */
  readonly hasOpenMetrics: boolean;
}

/** Name under which the guard leaves who asks, for the journal. */
export const BEARER_NAME = "bearerName";
/** Name under which the guard leaves whether who asks may also act. */
export const BEARER_OPERATES = "bearerOperates";
/** Name under which the guard leaves the hash of the sender's secret, for proving answers to him. */
export const BEARER_HASH = "bearerHash";

/**
 * Refuses requests of foreign pages (S22) and whatever the sender's token does not allow (S6): 401 when it is no token
 * of ours, 403 when it is one of another scope. Reading needs a token too, because any local user can connect to a
 * loopback port.
 */
export function guard({ tokens, allowedHosts, hasOpenMetrics }: GuardOptions): MiddlewareHandler {
  return async (context, next) => {
    const hosts = new Set(allowedHosts.map((allowed) => allowed.toLowerCase()));
    const host = (context.req.header("host") ?? "").toLowerCase();
    if (!hosts.has(host))
      return problemResponse("forbidden", `host "${host}" is not served here; use ${allowedHosts[0]}`);
    const origin = context.req.header("origin");
    if (origin !== undefined && !hosts.has(origin.toLowerCase().replace(/^https?:\/\//, ""))) {
      return problemResponse("forbidden", `requests from ${origin} are not accepted`);
    }
    const right = rightOf(context.req.method, context.req.path, hasOpenMetrics);
    if (right === null) return next();
    const given = context.req.header("authorization") ?? "";
    const bearer = tokens.bearerOf(given);
    if (bearer === null) {
      const found = given === "" ? "no authorization header" : "a token that is unknown, expired or revoked";
      return problemResponse("unauthorized", `${found}; this needs a token of scope ${scopesWith(right)}`);
    }
    if (!mayDo(bearer.scope, right)) {
      const found = `the token's scope is ${bearer.scope}`;
      return problemResponse("forbidden", `${found}; this needs ${scopesWith(right)}`);
    }
    context.set(BEARER_NAME, bearer.name);
    context.set(BEARER_HASH, bearer.hash);
    context.set(BEARER_OPERATES, mayDo(bearer.scope, "operate"));
    return next();
  };
}
