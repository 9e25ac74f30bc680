import { assert } from "../core/assert.ts";
import type { Claim, ClaimRequest, FenceOwner } from "../core/fence/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { FenceStore } from "../ports/fence-store.ts";

/** What a store brings to its conformance run. */
export interface FenceWorld {
  /** One handle; every handle of a world sees the same data, as two processes would. `clock` is the caller's clock. */
  open(clock?: Clock): FenceStore;
  /** Lets at least `ms` pass on the store's clock. */
  advance(ms: number): Promise<void>;
  /** Unique for each run, so that a shared server needs no cleaning. */
  readonly prefix: string;
  /** A lease time the store's clock resolves well, e.g. 200 on a real server. */
  readonly leaseMs: number;
}

export interface FenceCase {
  readonly name: string;
  run(world: FenceWorld): Promise<void>;
}

let attempts = 0;

/** A claim of a key of this world by a new attempt; `more` replaces what a case is about. */
export function request(world: FenceWorld, key: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  const identity = {
    scope: `${world.prefix}/suite`,
    key,
    fingerprint: "fp-1",
    attemptId: `${world.prefix}-${++attempts}`,
  };
  return { ...identity, leaseMs: world.leaseMs, effectKey: null, note: "", kind: "work", observed: null, ...more };
}

/** The owner a granted claim makes. */
export function ownerOf(claimed: ClaimRequest, token: number): FenceOwner {
  return { scope: claimed.scope, key: claimed.key, attemptId: claimed.attemptId, token };
}

/** Fails unless the claim was answered with `kind`. */
export function isKind<K extends Claim["kind"]>(
  claim: Claim,
  kind: K,
  when: string,
): asserts claim is Extract<Claim, { kind: K }> {
  assert(claim.kind === kind, `${when}: claim is ${kind}, found ${JSON.stringify(claim)}`);
}

/** Fails unless the two are the same value. */
export function same(found: unknown, wanted: unknown, what: string): void {
  assert(Object.is(found, wanted), `${what}: expected ${String(wanted)}, found ${String(found)}`);
}

/** Claims a key that must be free and returns its owner. */
export async function hold(store: FenceStore, claim: ClaimRequest): Promise<FenceOwner> {
  const answer = await store.claim(claim);
  isKind(answer, "held", `first claim of ${claim.key}`);
  return ownerOf(claim, answer.token);
}

/** Longer than any case takes, in ms. */
export const KEEP_MS = 60_000;
