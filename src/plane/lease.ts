import { LEASE_LIMITS, type RoutingDocument } from "../core/routing/document.ts";
import { type LeaseGrant, leaseText } from "../core/routing/lease.ts";
import type { Clock } from "../ports/clock.ts";
import { digestOf } from "./digest.ts";

/** The part of a clock that a lease is counted by. */
export type LeaseClock = Pick<Clock, "monoMs" | "wallMs">;

/** A request that may bring a lease back: when it was sent, and what its answer is proven over. */
export interface LeaseAsk {
  readonly nonce: string;
  readonly sentMonoMs: number;
  readonly sentWallMs: number;
  /** The document it reported; an answer about another one gives nothing. */
  readonly document: RoutingDocument;
}

/**
 * A data plane's right to give users to a provisional arm. It begins with an answer to an own request and ends by
 * itself: nothing has to arrive, and no timer has to fire, for it to be over. @source definitions.md §11
 */
export class Lease {
  readonly #clock: LeaseClock;
  #untilMonoMs = Number.NEGATIVE_INFINITY;
  #sentMonoMs = 0;
  #sentWallMs = 0;
  #ms = 0;
  /** Newest owner of each store heard of: a deposed controller goes on for a while and must not renew. */
  readonly #owners = new Map<string, number>();

  constructor(clock: LeaseClock) {
    this.#clock = clock;
  }

  /**
   * Whether it runs at a monotonic time. The monotonic clock stands while a machine is suspended, and the controller's
   * does not: the lease is over when either clock says that its time has passed. A wall clock that is set forward costs
   * what is left of it until the next answer, and one that is set back changes nothing.
   */
  isRunning(monoMs: number): boolean {
    return this.#leftMs(monoMs) > 0;
  }

  /** Milliseconds it still runs at most; 0 without one. */
  leftMs(): number {
    return Math.max(0, Math.ceil(this.#leftMs(this.#clock.monoMs())));
  }

  #leftMs(monoMs: number): number {
    return Math.min(this.#untilMonoMs - monoMs, this.#sentWallMs + this.#ms - this.#clock.wallMs());
  }

  ask(nonce: string, document: RoutingDocument): LeaseAsk {
    return { nonce, sentMonoMs: this.#clock.monoMs(), sentWallMs: this.#clock.wallMs(), document };
  }

  /**
   * Takes the answer to a request. Why it gives no lease, as a sentence; null when it does. It must be proven over the
   * request's own nonce, be about exactly the document that was reported, and come from the newest owner heard of.
   */
  async hear(
    ask: LeaseAsk,
    planeId: string,
    grant: LeaseGrant,
    isProven: (text: string, grant: LeaseGrant) => Promise<boolean>,
  ): Promise<string | null> {
    const { document } = ask;
    if (!isGrant(grant)) return "it is no lease";
    if (!(grant.ms >= LEASE_LIMITS.minMs && grant.ms <= LEASE_LIMITS.maxMs)) return `a lease of ${grant.ms} ms`;
    if (!(await isProven(leaseText(planeId, ask.nonce, grant), grant))) return "its proof is not our controller's";
    const isThis = grant.epoch === document.epoch && grant.seq === document.seq && grant.digest === digestOf(document);
    if (!isThis || grant.store !== document.store) return "it is about another document than the one reported";
    const newest = this.#owners.get(grant.store) ?? grant.owner;
    if (grant.owner < newest) return `owner ${grant.owner} of the store was followed by ${newest}`;
    this.#owners.set(grant.store, grant.owner);
    if (ask.sentMonoMs < this.#sentMonoMs) return "a later request was answered already";
    this.#sentMonoMs = ask.sentMonoMs;
    this.#sentWallMs = ask.sentWallMs;
    this.#ms = grant.ms;
    this.#untilMonoMs = this.#sentMonoMs + grant.ms;
    return null;
  }

  /** It is over, and what was asked for before renews it no more. */
  end(): void {
    this.#untilMonoMs = Number.NEGATIVE_INFINITY;
    this.#sentMonoMs = this.#clock.monoMs();
  }
}

/** What arrives is anybody's until it is proven. */
function isGrant(grant: unknown): grant is LeaseGrant {
  if (typeof grant !== "object" || grant === null) return false;
  const { store, owner, epoch, seq, digest, ms, proof } = grant as Record<keyof LeaseGrant, unknown>;
  const areTexts = [store, digest, proof].every((value) => typeof value === "string" && value.length <= 1_000);
  return areTexts && [owner, epoch, seq, ms].every(Number.isFinite);
}
