import type { MiddlewareHandler } from "hono";
import { problemResponse } from "./problem.ts";

export interface GuardOptions {
  /** Secret of the data directory's token file. */
  readonly token: string;
  /** `host:port` values a request may name, read at each request: the port is known only after listening. */
  readonly allowedHosts: readonly string[];
}

/** Compares in time that depends on the lengths alone. */
function isSame(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < right.length; index++)
    difference |= (left.charCodeAt(index) || 0) ^ right.charCodeAt(index);
  return difference === 0;
}

/**
 * Refuses requests of foreign pages (S22) and changes without the token (S6). Reading needs no token: the listener is
 * on loopback, and what it tells is no secret.
 */
export function guard({ token, allowedHosts }: GuardOptions): MiddlewareHandler {
  return async (context, next) => {
    const hosts = new Set(allowedHosts.map((allowed) => allowed.toLowerCase()));
    const host = (context.req.header("host") ?? "").toLowerCase();
    if (!hosts.has(host))
      return problemResponse("forbidden", `host "${host}" is not served here; use ${allowedHosts[0]}`);
    const origin = context.req.header("origin");
    if (origin !== undefined && !hosts.has(origin.toLowerCase().replace(/^https?:\/\//, ""))) {
      return problemResponse("forbidden", `requests from ${origin} are not accepted`);
    }
    if (context.req.method === "GET" || context.req.method === "HEAD") return next();
    const given = context.req.header("authorization") ?? "";
    if (isSame(given, `Bearer ${token}`)) return next();
    const found = given === "" ? "no authorization header" : "another token";
    return problemResponse("unauthorized", `${found}; changes need the token of the controller's data directory`);
  };
}
