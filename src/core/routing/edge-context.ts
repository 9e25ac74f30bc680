import type { ServingArm } from "../arm.ts";
import type { RoutingDocument } from "./document.ts";
import type { Route, RouteReason } from "./route.ts";
import type { Signer } from "./signed-text.ts";

/** What an edge decided, as the gateway behind it hears it (RT-9). */
export interface EdgeContext {
  readonly arm: ServingArm;
  readonly reason: RouteReason;
  readonly hash: number | null;
  readonly epoch: number;
  readonly seq: number;
}

/** How long a decision may be on its way, clocks that differ included. */
const LIFE_S = 300;
const TEXT =
  /^1\.(stable|candidate)\.(sticky|pin|allow-list|no-unit)\.(\d{1,10}|-)\.(\d{1,16})\.(\d{1,16})\.(\d{1,12})$/;

/** A decision as a signed header value; null for one that is no choice of an arm but a rule the gateway has itself. */
export function edgeContextOf(route: Route, document: RoutingDocument, signer: Signer, nowMs: number): string | null {
  const end = Math.ceil(nowMs / 1_000) + LIFE_S;
  const text = [1, route.arm, route.reason, route.hash ?? "-", document.epoch, document.seq, end].join(".");
  return TEXT.test(text) ? signer.sign(text) : null;
}

/** What a header value says; null unless an edge of this service signed it and it is not over. */
export function readEdgeContext(value: string, signer: Signer, nowMs: number): EdgeContext | null {
  const text = signer.open(value);
  const match = text === null ? null : TEXT.exec(text);
  if (match === null || Number(match[6]) * 1_000 <= nowMs) return null;
  return {
    arm: match[1] as ServingArm,
    reason: match[2] as RouteReason,
    hash: match[3] === "-" ? null : Number(match[3]),
    epoch: Number(match[4]),
    seq: Number(match[5]),
  };
}

/**
 * The decision of a gateway behind an edge, from one that was made with the edge's arm as a pin. Only a draw by the
 * document this gateway follows itself is counted as one: evidence bets on the share that drew.
 */
export function followedEdge(
  route: Route,
  { reason, hash, epoch, seq }: EdgeContext,
  document: RoutingDocument,
): Route {
  if (route.reason !== "pin") return route;
  const isOwnDocument = epoch === document.epoch && seq === document.seq;
  return isOwnDocument ? { ...route, reason, hash } : { ...route, hash };
}
