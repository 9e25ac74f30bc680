import { thresholdOf } from "../../src/core/assign/bucket.ts";
import { xxHash32 } from "../../src/core/assign/xxhash32.ts";
import { isNewer, isProvisional, type RoutingDocument } from "../../src/core/routing/document.ts";
import type { LeaseGrant } from "../../src/core/routing/lease.ts";
import type { Route } from "../../src/core/routing/route.ts";
import { digestOf } from "../../src/plane/digest.ts";
import type { LeaseAsk } from "../../src/plane/lease.ts";
import type { Fail, JournalLaws } from "./journal-laws.ts";
import type { PlaneNode } from "./plane-node.ts";

interface Granted {
  readonly gatewayId: string;
  readonly rolloutId: string | null;
  readonly ask: LeaseAsk;
  readonly grant: LeaseGrant;
}

/**
 * What must hold of every request, told from the documents that were committed, the leases that arrived and the time
 * alone: this knows nothing of how a plane decides.
 */
export class AssignmentLaws {
  decisions = 0;
  readonly #fail: Fail;
  readonly #nowMs: () => number;
  readonly #journal: JournalLaws;
  readonly #adopted = new Map<string, RoutingDocument>();
  readonly #followed = new Map<string, number>();
  readonly #leases = new Map<string, Granted>();
  readonly #owners = new Map<string, number>();

  constructor(fail: Fail, nowMs: () => number, journal: JournalLaws) {
    this.#fail = fail;
    this.#nowMs = nowMs;
    this.#journal = journal;
  }

  /** A document leaves the controller. */
  published(document: RoutingDocument): void {
    const { epoch, seq } = document;
    if (this.#journal.documents.get(`${epoch}.${seq}`) !== digestOf(document))
      this.#fail("published", `document ${epoch}.${seq} is given out and not committed`);
  }

  adopted({ gateway, id }: PlaneNode, document: RoutingDocument): void {
    const { gatewayId } = gateway;
    const before = this.#adopted.get(gatewayId);
    const { epoch, seq } = document;
    if (before !== undefined && !isNewer(document, before))
      this.#fail("epochs", `${id} goes from ${before.epoch}.${before.seq} to ${epoch}.${seq}`);
    if (this.#journal.documents.get(`${epoch}.${seq}`) !== digestOf(document))
      this.#fail("adopted", `${id} takes document ${epoch}.${seq}, which was not committed`);
    this.#adopted.set(gatewayId, document);
  }

  granted({ gateway, id }: PlaneNode, ask: LeaseAsk, grant: LeaseGrant, sentAtMs: number): void {
    const { gatewayId } = gateway;
    const backAtMs = this.#journal.tries.get(ask.document.override ?? "")?.backAtMs ?? null;
    // Whoever gets it and is cut off then has users on the candidate later than one lease after the order.
    if (backAtMs !== null && sentAtMs > backAtMs)
      this.#fail("lease after the order", `${id} asked ${sentAtMs - backAtMs} ms after it and may serve the candidate`);
    if (ask.sentMonoMs < (this.#followed.get(id) ?? 0)) return;
    const newest = this.#owners.get(gatewayId) ?? 0;
    if (grant.owner < newest || grant.digest !== digestOf(ask.document)) return;
    this.#owners.set(gatewayId, grant.owner);
    const before = this.#leases.get(id);
    const isLater = before === undefined || before.gatewayId !== gatewayId || ask.sentMonoMs >= before.ask.sentMonoMs;
    if (isLater) this.#leases.set(id, { gatewayId, rolloutId: ask.document.rolloutId, ask, grant });
  }

  /** A person's word ended: what was asked for before gives no lease any more. */
  followed({ id, clock }: PlaneNode): void {
    this.#leases.delete(id);
    this.#followed.set(id, clock.monoMs());
  }

  decided(node: PlaneNode, unit: string, route: Route): void {
    this.decisions++;
    const { document, plane } = node.gateway;
    const { arms, candidateBp, closed, sticky } = document;
    const isOpen = arms.candidate !== null && !closed.includes("candidate") && plane.override === null;
    const isHeld = !isProvisional(document) || this.#holdsLease(node, document);
    const isDrawn = xxHash32(unit, sticky.seed) < thresholdOf(candidateBp);
    const expected = isOpen && isHeld && isDrawn ? "candidate" : "stable";
    if (route.arm !== expected) {
      const why = `share ${candidateBp}, ${isOpen ? "open" : "closed"}, ${isHeld ? "a lease" : "no lease"}`;
      this.#fail("assignment", `${node.id} gives ${unit} to ${route.arm}, expected ${expected}: ${why}`);
    }
    this.#afterBack(node, document, route);
  }

  #holdsLease({ id, gateway, clock }: PlaneNode, document: RoutingDocument): boolean {
    const held = this.#leases.get(id);
    if (held === undefined || held.gatewayId !== gateway.gatewayId || held.rolloutId !== document.rolloutId)
      return false;
    const { ask, grant } = held;
    const ranMs = clock.monoMs() - ask.sentMonoMs;
    return ranMs < grant.ms && clock.wallMs() - ask.sentWallMs < grant.ms;
  }

  /** Nobody meets the candidate once it was said to be gone, nor later than one lease after the order. */
  #afterBack(node: PlaneNode, { override }: RoutingDocument, { target }: Route): void {
    const known = this.#journal.tries.get(override ?? "");
    if (known === undefined || target.releaseId !== known.plan.arms.candidate.releaseId) return;
    const { leaseMs = null } = known.plan;
    const { phase } = known.rollout;
    // Without a lease nothing bounds what a plane does that follows documents and was never heard of.
    const isBound = leaseMs !== null || this.#journal.planes.has(node.id);
    if (isBound && (phase === "aborted" || phase === "rolled-back"))
      this.#fail("said to be back", `${node.id} gives a user to the candidate of ${override}, which is ${phase}`);
    if (known.backAtMs === null || leaseMs === null || known.wasPromoted) return;
    const lateMs = this.#nowMs() - known.backAtMs - leaseMs;
    if (lateMs > 0)
      this.#fail(
        "dark after a lease",
        `${node.id} serves the candidate ${lateMs} ms later than a lease after the order`,
      );
  }
}
