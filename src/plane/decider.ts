import { type EdgeContext, edgeContextOf, followedEdge, readEdgeContext } from "../core/routing/edge-context.ts";
import { type Pin, type Route, type RouteTable, requestedArmOf, route } from "../core/routing/route.ts";
import type { Pins, SchemaRefusal } from "../core/routing/schema-lock.ts";
import { type Signer, signerOf } from "../core/routing/signed-text.ts";
import { isViolation, keepSeat, type Visitor, visitorCookie, visitorIn, visitorUnit } from "../core/routing/visitor.ts";

/** What a request says of who asks. */
export interface Asked {
  /** From a trusted header, or another identity the data plane verified; null when there is none. */
  readonly unit: string | null;
  readonly pin: Pin | null;
  /** The client's `x-exp`. */
  readonly wish: string | null;
  readonly pins: Pins | null;
  /** Its `Cookie` header. */
  readonly cookies: string | null;
  /** What an edge says it decided, unverified. */
  readonly edgeContext: string | null;
  /** False for what is no user: it gets no cookie. */
  readonly mayBeVisitor: boolean;
  /** It came by TLS, as far as the data plane can believe it. */
  readonly isSecure: boolean;
}

export interface Decided {
  readonly decision: Route | SchemaRefusal;
  /** Value of `Set-Cookie`; null for none. */
  readonly cookie: string | null;
  /** The user meets another arm although no share moved him (RT-8). */
  readonly isViolation: boolean;
}

const plain = (decision: Route | SchemaRefusal): Decided => ({ decision, cookie: null, isViolation: false });

/** Decides requests by one document: `route` with what data planes of one service tell each other in signed words. */
export class Decider {
  readonly #table: RouteTable;
  readonly #newVisitorId: () => string;
  readonly #cookies: Signer | null;
  readonly #edges: Signer | null;

  /** Whether it is known where users were before, so that none of it is a number and not a silence. */
  get seesViolations(): boolean {
    return this.#cookies !== null;
  }

  /** @param newVisitorId 32 unpredictable hexadecimal digits */
  constructor(table: RouteTable, newVisitorId: () => string) {
    const { key, cookie } = table.document.sticky;
    this.#table = table;
    this.#newVisitorId = newVisitorId;
    this.#edges = key === undefined ? null : signerOf(key, "edge");
    this.#cookies = key === undefined || cookie === undefined ? null : signerOf(key, `cookie ${cookie}`);
  }

  /** The decision of an edge for the gateway behind it, as a header value; null where there is nothing to say. */
  sayToGateway(decision: Route, clock: { wallMs(): number }): string | null {
    return this.#edges === null ? null : edgeContextOf(decision, this.#table.document, this.#edges, clock.wallMs());
  }

  decide(asked: Asked, clock: { wallMs(): number }): Decided {
    const { unit, pin, wish, pins, edgeContext } = asked;
    if (pin === null && edgeContext !== null && this.#edges !== null) {
      const said = readEdgeContext(edgeContext, this.#edges, clock.wallMs());
      if (said !== null) return plain(this.#follow(said, pins));
    }
    if (this.#cookies === null || !asked.mayBeVisitor) {
      return plain(route(this.#table, unit, pin, requestedArmOf(wish), pins));
    }
    return this.#decideVisitor(asked, this.#cookies, clock.wallMs());
  }

  /** An edge has decided: its arm is taken like a pin, and nothing is hashed a second time (RT-9). */
  #follow(said: EdgeContext, pins: Pins | null): Route | SchemaRefusal {
    const decision = route(this.#table, null, { arm: said.arm, purpose: "user" }, null, pins);
    return decision.arm === null ? decision : followedEdge(decision, said, this.#table.document);
  }

  #decideVisitor(asked: Asked, signer: Signer, nowMs: number): Decided {
    const { document } = this.#table;
    const known = visitorIn(asked.cookies, document.sticky.cookie ?? "", signer, nowMs);
    const isUnknown = known === null && asked.unit === null && asked.pin === null;
    const visitor: Visitor | null = isUnknown ? { id: this.#newVisitorId(), seat: null, endS: 0 } : known;
    const unit = asked.unit ?? (visitor === null ? null : visitorUnit(visitor));
    const routed = route(this.#table, unit, asked.pin, requestedArmOf(asked.wish), asked.pins);
    if (routed.arm === null || visitor === null) return plain(routed);
    const decision = keepSeat(this.#table, routed, visitor.seat);
    const cookie = visitorCookie(visitor, decision, document, signer, { nowMs, isSecure: asked.isSecure });
    return { decision, cookie, isViolation: isViolation(visitor.seat, decision, document) };
  }
}
