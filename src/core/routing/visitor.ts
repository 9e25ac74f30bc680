import type { ServingArm } from "../arm.ts";
import type { RoutingDocument } from "./document.ts";
import type { Route, RouteTable } from "./route.ts";
import type { Signer } from "./signed-text.ts";

/** Where a visitor was sent by share, and under which document: what stickiness is held against. */
export interface Seat {
  readonly arm: ServingArm;
  readonly epoch: number;
  readonly seq: number;
  readonly candidateBp: number;
}

/** Somebody without an identity of his own, known by a signed cookie. */
export interface Visitor {
  /** 32 hexadecimal digits, drawn at the first visit. */
  readonly id: string;
  /** Where the cookie says he was; null at the first visit. */
  readonly seat: Seat | null;
  /** When his cookie ends, in seconds since 1970; 0 at the first visit. */
  readonly endS: number;
}

const VALUE = /^1\.([0-9a-f]{32})\.([sc])\.(\d{1,16})\.(\d{1,16})\.(\d{1,5})\.(\d{1,12})$/;
/** Longer `Cookie` headers are not searched. */
const COOKIE_CHARS_MAX = 8_192;

/** The unit of a visitor. No name of the user's own choice looks like it, so none is on an allow-list by accident. */
export function visitorUnit({ id }: Visitor): string {
  return `visitor:${id}`;
}

/**
 * The visitor a `Cookie` header names. Null for no cookie of that name, one that nobody of this service signed, and one
 * that is over: all three are a new visitor. Of two with one name the first valid one counts.
 */
export function visitorIn(cookies: string | null, name: string, signer: Signer, nowMs: number): Visitor | null {
  if (cookies === null || cookies.length > COOKIE_CHARS_MAX) return null;
  for (const pair of cookies.split(";")) {
    const at = pair.indexOf("=");
    if (at < 0 || pair.slice(0, at).trim() !== name) continue;
    const visitor = readVisitor(pair.slice(at + 1).trim(), signer);
    if (visitor !== null && visitor.endS * 1_000 > nowMs) return visitor;
  }
  return null;
}

function readVisitor(value: string, signer: Signer): Visitor | null {
  const text = signer.open(value);
  const match = text === null ? null : VALUE.exec(text);
  if (match === null) return null;
  const [, id = "", arm, epoch, seq, candidateBp, endS] = match;
  const seat: Seat = {
    arm: arm === "c" ? "candidate" : "stable",
    epoch: Number(epoch),
    seq: Number(seq),
    candidateBp: Number(candidateBp),
  };
  return { id, seat, endS: Number(endS) };
}

/**
 * The value of `Set-Cookie` for a visitor that was sent somewhere; null while the cookie he has says it already. One
 * that has lived half its life is written anew with the same id, so that nobody is a stranger in mid-dialog.
 */
export function visitorCookie(
  { id, seat: before, endS }: Visitor,
  route: Route,
  { sticky, epoch, seq, candidateBp }: RoutingDocument,
  signer: Signer,
  at: { readonly nowMs: number; readonly isSecure: boolean },
): string | null {
  const isSeated = route.reason === "sticky";
  // A document that is behind the cookie's never takes its place.
  const isBehind = before !== null && before.epoch === epoch && before.seq >= seq && before.arm === route.arm;
  const isSame = before !== null && (!isSeated || isBehind);
  const lifeS = Math.ceil(sticky.ttlMs / 1_000);
  if (isSame && endS - at.nowMs / 1_000 > lifeS / 2) return null;
  const seat: Seat = (isSeated && !isBehind) || before === null ? { arm: route.arm, epoch, seq, candidateBp } : before;
  const end = Math.ceil(at.nowMs / 1_000) + lifeS;
  const fields = [1, id, seat.arm === "candidate" ? "c" : "s", seat.epoch, seat.seq, seat.candidateBp, end];
  const secure = at.isSecure ? "; Secure" : "";
  const name = sticky.cookie ?? "";
  return `${name}=${signer.sign(fields.join("."))}; Path=/; Max-Age=${lifeS}; HttpOnly; SameSite=Lax${secure}`;
}

/**
 * The decision with the cookie's word in it: where another data plane of this service already follows a newer document
 * of the same epoch and sent the visitor by it, this one does not send him back. A share that moved moves him.
 */
export function keepSeat(table: RouteTable, route: Route, seat: Seat | null): Route {
  const { choice, document } = table;
  if (seat === null || route.reason !== "sticky" || choice.kind === "one") return route;
  const isAhead = seat.epoch === document.epoch && seat.seq > document.seq;
  if (!isAhead || seat.arm === route.arm) return route;
  return { ...route, arm: seat.arm, reason: "pin", target: choice[seat.arm] };
}

/**
 * Whether a visitor that was sent by share at `seat` meets another arm although no share moved him. Ways back, pins,
 * locks and a person's word are not shares and are no violation; another epoch may have swapped the arms.
 */
export function isViolation(seat: Seat | null, route: Route, document: RoutingDocument): boolean {
  if (seat === null || seat.arm === route.arm || seat.epoch !== document.epoch) return false;
  if (route.reason !== "sticky") return false;
  const moved = document.candidateBp - seat.candidateBp;
  const isExplained = seat.seq <= document.seq && (route.arm === "candidate" ? moved > 0 : moved < 0);
  return !isExplained;
}
