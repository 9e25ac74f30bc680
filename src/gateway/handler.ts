import type { IncomingMessage, ServerResponse } from "node:http";
import { unitOfHeader } from "../core/assign/unit-header.ts";
import { addPins, answerLabels, HEADERS } from "../core/routing/headers.ts";
import type { Pin, Route } from "../core/routing/route.ts";
import type { SchemaRefusal } from "../core/routing/schema-lock.ts";
import { schemaProblem } from "../core/routing/schema-lock-problem.ts";
import type { Asked } from "../plane/decider.ts";
import type { Plane } from "../plane/plane.ts";
import { connectionOf } from "./client-connection.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeContext } from "./exchange-context.ts";
import { sendOwnAnswer, sendProblem } from "./own-answer.ts";
import type { Peers } from "./peers.ts";
import { REFUSALS, type Refusal } from "./refusal.ts";
import { RequestFacts } from "./request-headers.ts";
import { hasDotSegment, originForm } from "./request-target.ts";
import type { RoutingPlan } from "./routing-plan.ts";
import type { ShadowCopy } from "./shadow-copy.ts";
import type { ShadowRoute } from "./shadow-route.ts";

/** What the handler needs beside what exchanges share. */
export interface HandlerContext extends ExchangeContext {
  readonly plane: Plane<RoutingPlan>;
  readonly peers: Peers;
  readonly verifyPin: ((token: string) => Pin | null) | null;
}

/** A body up to this is read and forgotten, so that the connection of a request no revision serves can go on. */
const UNSERVED_BODY_BYTES = 16_384;

/** A refused client gets this long to read why. */
const LINGER_MS = 10_000;

/** Takes one request: reads it by the rules, decides its arm and starts the exchange. Synchronous to the dispatch. */
export function handleRequest(context: HandlerContext, req: IncomingMessage, res: ServerResponse): void {
  const startMs = context.clock.monoMs();
  context.counts.requests++;
  const plan = context.plane.planAt(startMs); // One plan for the whole request.
  const isHttp11 = req.httpVersionMajor === 1 && req.httpVersionMinor === 1;
  if (!isHttp11 && !(req.httpVersionMajor === 1 && req.httpVersionMinor === 0)) {
    return refuse(context, res, REFUSALS.version);
  }
  const method = req.method as string;
  if (method === "TRACE" || method === "CONNECT") return refuse(context, res, REFUSALS.method);
  const { peer } = connectionOf(req.socket);
  const trust = context.peers.trustOf(peer);
  const facts = plan.reader.read(req.rawHeaders, isHttp11, trust);
  if (!(facts instanceof RequestFacts)) return refuse(context, res, facts);
  const path = originForm(req.url as string, facts.host);
  if (path === null) return refuse(context, res, REFUSALS.target);

  const isWarmPing = facts.isWarm && peer.isTrusted;
  if (!peer.isTrusted) countUntrusted(context, facts);
  const pin = facts.pinToken === null ? null : verified(context, facts.pinToken);
  const segments = plan.segments?.read(facts.headers, path) ?? null; // Before anything knows the arm.
  const isWarmOrProbe = isWarmPing || pin?.purpose === "probe";
  const asked = askedBy(facts, pin, !isWarmOrProbe);
  const { decision, cookie, isViolation } = plan.decider.decide(asked, context.clock);
  if (decision.arm === null) return refusePins(context, res, decision, plan, facts);
  const arm = decision.arm === "candidate" && plan.candidate !== null ? plan.candidate : plan.stable;
  if (arm.hasPrefix && hasDotSegment(path)) return refuse(context, res, REFUSALS.dotSegment);
  const place = isWarmOrProbe ? context.recorder.placeOf(decision.arm) : context.recorder.arrive(decision);
  if (plan.decider.seesViolations) context.recorder.countVisit(isViolation);

  const { headers, contentLength, isChunked } = facts;
  const copy = plan.shadow === null || isWarmOrProbe ? null : copyOf(context, plan.shadow, facts, req, path, decision);
  for (const text of arm.requestLabels) headers.push(text);
  addPins(headers, facts.pins);
  if (isWarmPing) headers.push(HEADERS.warm, "true");
  addForwarded(facts, peer.address);

  const exchange = new Exchange(context, req, res, {
    plan: arm,
    place,
    hash: decision.hash,
    segments,
    isProbe: isWarmOrProbe,
    cookie,
    client: context.peers.clientOf(peer, facts.forwardedFor),
    edgePop: facts.edgePop,
    method,
    path,
    headers,
    contentLength,
    isChunked,
    startMs,
    copy,
  });
  exchange.start();
}

/** Notes what the candidate will be asked once the user has stable's answer; null for a request that is not chosen. */
function copyOf(
  { mirror }: HandlerContext,
  route: ShadowRoute,
  { headers, contentLength, isChunked, forwardedHost, forwardedProto, host }: RequestFacts,
  req: IncomingMessage,
  path: string,
  { hash: unitHash }: Route,
): ShadowCopy | null {
  const asked = { host: forwardedHost ?? host, proto: forwardedProto };
  return mirror.choose(route, {
    method: req.method ?? "",
    path,
    headers,
    ...asked,
    unitHash,
    contentLength,
    isChunked,
  });
}

/** Says toward the service how the request came. */
function addForwarded(
  { headers, forwardedFor, forwardedProto, forwardedHost, host: asked }: RequestFacts,
  by: string,
): void {
  const hops = forwardedFor === null ? by : `${forwardedFor}, ${by}`;
  headers.push(HEADERS.forwardedFor, hops, HEADERS.forwardedProto, forwardedProto ?? "http");
  const host = forwardedHost ?? asked;
  if (host !== null) headers.push(HEADERS.forwardedHost, host);
}

/** Refuses what cannot be forwarded. The connection ends: what follows on it may be part of the same mistake. */
export function refuse(context: ExchangeContext, res: ServerResponse, refusal: Refusal): void {
  context.counts.refused++;
  const { socket } = res.req;
  connectionOf(socket).end();
  socket.setTimeout(LINGER_MS);
  sendOwnAnswer(res, refusal, [], true);
}

/** No open arm serves the request's pins (SL-2). Its framing is sound, so the connection goes on. */
function refusePins(
  context: ExchangeContext,
  res: ServerResponse,
  { differences }: SchemaRefusal,
  { table }: RoutingPlan,
  { isChunked, contentLength }: RequestFacts,
): void {
  context.counts.refused++;
  const problem = schemaProblem(differences, "no-matching-revision");
  res.on("close", onUnservedClose);
  const closes = context.isDraining || isChunked || contentLength > UNSERVED_BODY_BYTES;
  sendProblem(res, problem.status, JSON.stringify(problem), answerLabels(table, null), closes);
}

function onUnservedClose(this: ServerResponse): void {
  connectionOf(this.req.socket).answered();
}

/** What a request says of who asks; only what is a user may be a visitor. */
function askedBy(facts: RequestFacts, pin: Pin | null, mayBeVisitor: boolean): Asked {
  const { wish, pins, cookies, edgeContext } = facts;
  const unit = facts.unit === null ? null : unitOfHeader(facts.unit);
  return { unit, pin, wish, pins, cookies, edgeContext, mayBeVisitor, isSecure: facts.forwardedProto === "https" };
}

/** What a peer said about others and is not believed in. */
function countUntrusted({ counts }: HandlerContext, facts: RequestFacts): void {
  if (facts.isForwardingRefused) counts.untrustedForwarding++;
  if (facts.isIdentityRefused) counts.untrustedIdentity++;
  if (facts.isWarm) counts.untrustedWarm++;
}

/** A verification that fails, or breaks, is no pin: it must not choose an arm and must not fail the request. */
function verified(context: HandlerContext, token: string): Pin | null {
  if (context.verifyPin === null || token === "") return null;
  try {
    return context.verifyPin(token);
  } catch {
    return null;
  }
}
