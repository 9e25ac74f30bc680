import type { ServingArm } from "../core/arm.ts";
import { unitHeadersOf, unitOfHeader } from "../core/assign/unit-header.ts";
import type { UnitIdentity } from "../core/routing/document.ts";
import { HEADERS } from "../core/routing/headers.ts";
import { type Pin, requestedArmOf } from "../core/routing/route.ts";
import { PIN_HEADERS, type PinName, type Pins } from "../core/routing/schema-lock.ts";

/** Who is asking, and what they may or may not choose. */
export interface Identity {
  /** From an authenticated identity or a signed cookie; null when unknown, which is served by stable. */
  readonly unit: string | null;
  /** A pin whose signature, expiry and scope were verified. */
  readonly pin: Pin | null;
  /** The client's `x-exp`; the router honours it for units on the allow-list only. */
  readonly requestedArm: ServingArm | null;
}

/**
 * Finds out who is asking. May be asynchronous, because verifying a signature is on web runtimes; remember results per
 * signed material, so that the next request decides at once. A throw or a rejection counts as nobody.
 */
export type Identify = (request: Request) => Identity | Promise<Identity>;

/** Nobody: no unit, no pin, no wish. */
export const NOBODY: Identity = { unit: null, pin: null, requestedArm: null };

/**
 * Takes the unit from the first trusted header present. Pins need a key and are not read here.
 * @param identity what the routing document says about trusted headers
 */
export function identifyByTrustedHeaders(identity: UnitIdentity): Identify {
  const unitHeaders = unitHeadersOf(identity);
  return (request) => ({
    unit: unitIn(request.headers, unitHeaders),
    pin: null,
    requestedArm: requestedArmOf(request.headers.get(HEADERS.arm)),
  });
}

function unitIn(headers: Headers, unitHeaders: readonly string[]): string | null {
  for (const name of unitHeaders) {
    const value = headers.get(name);
    if (value !== null) return unitOfHeader(value);
  }
  return null;
}

/** Schema pins of a request, from headers the document trusts; the others are a client's word and do not count. */
export function trustedPinsIn(headers: Headers, trusted: readonly PinName[]): Pins {
  return Object.fromEntries(trusted.map((pin) => [pin, headers.get(PIN_HEADERS[pin])]));
}
