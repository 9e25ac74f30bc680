import { canonicalJson } from "../core/canonical-json.ts";
import { type EffectSource, effectKey } from "./effect-key.ts";
import type { Lease } from "./lease.ts";
import { type FenceOptions, type HeldKey, type OnceOutcome, once } from "./once.ts";

export interface LedgerOptions extends FenceOptions {
  /** Called for every effect that was refused or discarded because its holder had been replaced (I8, S14). */
  readonly audit?: (entry: StaleEffect) => void;
}

export interface StaleEffect {
  readonly kind: "grant-lost" | "superseded";
  readonly effectKey: string;
  /** Epoch of the grant it was issued under; null without one. */
  readonly epoch: number | null;
}

export interface EffectOrder {
  readonly source: EffectSource;
  /**
   * True only when the sink refuses a second run under the effect key; otherwise a crash leaves the outcome unknown.
   */
  readonly sinkHonoursKey: boolean;
  /** Grant under which effects may be issued (one arm, one region); without one any arm may. */
  readonly grant?: Pick<Lease, "token" | "isHeld">;
  /** Digest of the payload: the same source with another payload is refused as a mismatch. */
  readonly payloadDigest?: string;
}

/** What the work is told: the key to hand to the sink and the epoch to hand to resources that check it. */
export interface EffectTicket {
  readonly effectKey: string;
  readonly epoch: number | null;
  readonly held: HeldKey;
}

/** An effect as the ledger keeps it: E of the invariants I1 and I6. */
export interface LedgerEntry<R> {
  readonly epoch: number | null;
  readonly result: R;
}

export type LedgerOutcome<R> = OnceOutcome<LedgerEntry<R>> | { readonly kind: "grant-lost" };

/**
 * Effects of the outside world, each at most once, across arms, regions, crashes and replays (I6). Nothing is issued
 * under a grant that is no longer held.
 */
export function createLedger(options: LedgerOptions) {
  return {
    async apply<R>(order: EffectOrder, work: (ticket: EffectTicket) => Promise<R>): Promise<LedgerOutcome<R>> {
      const key = await effectKey(order.source);
      const epoch = order.grant?.token ?? null;
      const refuse = (): LedgerOutcome<R> => {
        options.audit?.({ kind: "grant-lost", effectKey: key, epoch });
        return { kind: "grant-lost" };
      };
      if (order.grant?.isHeld() === false) return refuse();
      const request = {
        scope: canonicalJson(["effect", order.source.tenant]),
        key,
        fingerprint: order.payloadDigest ?? "",
        effectKey: order.sinkHonoursKey ? key : null,
      };
      const outcome = await once<LedgerEntry<R>>(options, request, async (held) => {
        if (order.grant?.isHeld() === false) {
          await held.release();
          throw new GrantLost();
        }
        return { epoch, result: await work({ effectKey: key, epoch, held }) };
      }).catch((error: unknown) => {
        if (error instanceof GrantLost) return null;
        throw error;
      });
      if (outcome === null) return refuse();
      if (outcome.kind === "superseded") options.audit?.({ kind: "superseded", effectKey: key, epoch });
      return outcome;
    },
  };
}

/** Leaves `once` between claim and effect; never leaves this file. */
class GrantLost extends Error {}
