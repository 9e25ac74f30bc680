import {
  addPins,
  answerLabels,
  connectionNames,
  HEADERS,
  isHopByHop,
  isInternalHeader,
  requestLabels,
} from "../core/routing/headers.ts";
import type { RouteTable, RouteTarget } from "../core/routing/route.ts";
import type { Pins, SchemaRefusal } from "../core/routing/schema-lock.ts";
import { schemaProblem } from "../core/routing/schema-lock-problem.ts";

/** What the origin is told beside the arm. */
interface Told {
  /** Schema pins from trusted headers. */
  readonly pins: Pins;
  /** The signed decision, for a gateway that stands there (RT-9); null where nothing can be signed. */
  readonly context: string | null;
}

/** Framing and host belong to the connection to the origin, which the platform's fetch makes. */
const SET_BY_FETCH: ReadonlySet<string> = new Set(["host", "content-length", "expect", "accept-encoding"]);
/** Codings every fetch undoes while it keeps the header, which would then describe another body. */
const DECODED_BY_FETCH = /^(?:gzip|x-gzip|deflate|br)$/i;

/**
 * The request for the origin: same method, path and streaming body; hop-by-hop and internal headers removed, ours set
 * afterwards, so that a client's `Connection` field cannot strip them (S2).
 */
export function forwardedRequest(request: Request, target: RouteTarget, endpoint: string, told: Told): Request {
  const url = new URL(request.url);
  const hasBody = request.body !== null && request.method !== "GET" && request.method !== "HEAD";
  const init: RequestInit & { duplex?: "half" } = {
    method: request.method,
    headers: forwardedHeaders(request.headers, target, told),
    body: hasBody ? request.body : null,
    redirect: "manual", // A redirect is the origin's answer to the client, not ours to follow.
    signal: request.signal,
    ...(hasBody ? { duplex: "half" } : {}), // Asked for by Node and browsers for a streaming body.
  };
  return new Request(`${endpoint.replace(/\/$/, "")}${url.pathname}${url.search}`, init);
}

function forwardedHeaders(incoming: Headers, target: RouteTarget, { pins, context }: Told): Headers {
  const listed = connectionNames(incoming.get("connection"));
  const headers = new Headers();
  for (const [name, value] of incoming) {
    if (isHopByHop(name, listed) || isInternalHeader(name) || SET_BY_FETCH.has(name)) continue;
    headers.append(name, value);
  }
  headers.set("accept-encoding", "identity"); // Otherwise fetch would decode the body and we would forward it plain.
  const labels = [...requestLabels(target.arm, target.cachePrefix)];
  addPins(labels, pins);
  if (context !== null) labels.push(HEADERS.edgeContext, context);
  setAll(headers, labels);
  return headers;
}

/** The origin's answer with its body untouched and the decision written beside it. */
export function answerFrom(upstream: Response, table: RouteTable, target: RouteTarget): Response {
  const response = new Response(upstream.body, upstream); // The platform's headers may be immutable.
  const listed = connectionNames(upstream.headers.get("connection"));
  for (const name of upstream.headers.keys()) if (isHopByHop(name, listed)) response.headers.delete(name);
  if (DECODED_BY_FETCH.test(upstream.headers.get("content-encoding") ?? "")) {
    response.headers.delete("content-encoding");
    response.headers.delete("content-length");
  }
  return labelled(response, table, target);
}

/** An answer the router makes itself when the origin gave none. */
export function badGateway(table: RouteTable, target: RouteTarget): Response {
  const problem = {
    type: "about:blank",
    title: "Bad Gateway",
    status: 502,
    detail: `no answer from the ${target.arm} arm; whether it did the work is unknown, so the router does not repeat it`,
  };
  return labelled(problemResponse(problem), table, target);
}

/** The answer to a request whose schema pins no open arm serves (SL-2). No arm is named: none was asked. */
export function noMatchingRevision(table: RouteTable, { differences }: SchemaRefusal): Response {
  return labelled(problemResponse(schemaProblem(differences, "no-matching-revision")), table, null);
}

function problemResponse(problem: { readonly status: number }): Response {
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

function labelled(response: Response, table: RouteTable, target: RouteTarget | null): Response {
  setAll(response.headers, answerLabels(table, target === null ? null : target.arm));
  return response;
}

/** @param labels name, value, … */
function setAll(headers: Headers, labels: readonly string[]): void {
  for (let at = 0; at < labels.length; at += 2) headers.set(labels[at] as string, labels[at + 1] as string);
}
