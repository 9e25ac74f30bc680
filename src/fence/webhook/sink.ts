import { type Arm, type ByArm, SERVING_ARMS, type ServingArm } from "../../core/arm.ts";
import type { Bp } from "../../core/unit.ts";
import type { WebhookEndpoint } from "./send.ts";

/** From this share of the candidate on the sink gets nothing more. @source requirements.md WE-8 */
const SINK_UNTIL_BP = 5_000;

export interface Recipient {
  readonly role: "partner" | "sink";
  readonly endpoint: WebhookEndpoint;
}

/** Where copies go while a candidate is compared. */
export interface SinkPolicy {
  readonly endpoint: WebhookEndpoint;
  /** Share of the candidate now. At 50 % and above there are no copies. */
  readonly candidateBp: Bp;
  /**
   * Arms whose emissions are copied. Default: the candidate's and the shadow's. Add `stable` to compare like with like.
   */
  readonly arms?: readonly Arm[];
}

/**
 * Who gets an emission of an arm. The arms that serve users send to the partner, and the candidate's emissions are
 * copied to the sink; a shadow's go to the sink alone and never to a partner. Pure.
 * @source requirements.md WE-1, WE-2, WE-8
 */
export function recipientsOf(arm: Arm, partner: WebhookEndpoint, sink: SinkPolicy | null): readonly Recipient[] {
  const toPartner: readonly Recipient[] = arm === "shadow" ? [] : [{ role: "partner", endpoint: partner }];
  const isCopied = sink !== null && sink.candidateBp < SINK_UNTIL_BP && (sink.arms ?? COPIED_ARMS).includes(arm);
  if (!isCopied) return toPartner;
  // A sink of its own for each arm: the copies of two arms have one id, and both are wanted.
  const { endpoint } = sink;
  const headers = { ...endpoint.headers, "sluice-arm": arm };
  return [...toPartner, { role: "sink", endpoint: { ...endpoint, id: `${endpoint.id}/${arm}`, headers } }];
}

const COPIED_ARMS: readonly Arm[] = ["candidate", "shadow"];

/** The end of one emission at the sink. */
export interface SinkResult {
  readonly arm: ServingArm;
  readonly isDelivered: boolean;
  readonly tries: number;
  /** From the event to its delivery, or to its last attempt. */
  readonly ageMs: number;
}

export interface EmissionStats {
  readonly count: number;
  /** Delivered of all, 0..1. */
  readonly deliveredShare: number;
  readonly triesMean: number;
  readonly ageP50Ms: number;
  readonly ageP95Ms: number;
}

export type SinkComparison =
  /** `candidate - stable` each; a positive difference of tries and age is worse. */
  | {
      readonly kind: "compared";
      readonly arms: ByArm<EmissionStats>;
      readonly difference: Omit<EmissionStats, "count">;
    }
  /** An arm has emitted nothing: there is nothing to compare, and that is not a pass. */
  | { readonly kind: "no-data"; readonly missing: readonly ServingArm[] };

/** Nearest rank: the smallest value that at least `share` of them do not exceed. */
function rank(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}

function statsOf(results: readonly SinkResult[]): EmissionStats {
  const ages = results.map(({ ageMs }) => ageMs).sort((a, b) => a - b);
  const mean = (of: (result: SinkResult) => number) => results.reduce((sum, r) => sum + of(r), 0) / results.length;
  return {
    count: results.length,
    deliveredShare: mean((result) => Number(result.isDelivered)),
    triesMean: mean((result) => result.tries),
    ageP50Ms: rank(ages, 0.5),
    ageP95Ms: rank(ages, 0.95),
  };
}

/** Success, tries and age of the two arms' emissions, side by side. @source requirements.md WE-2 */
export function compareSinkResults(results: readonly SinkResult[]): SinkComparison {
  const of = (arm: ServingArm) => results.filter((result) => result.arm === arm);
  const missing = SERVING_ARMS.filter((arm) => of(arm).length === 0);
  if (missing.length > 0) return { kind: "no-data", missing };
  const [stable, candidate] = [statsOf(of("stable")), statsOf(of("candidate"))];
  const difference = {
    deliveredShare: candidate.deliveredShare - stable.deliveredShare,
    triesMean: candidate.triesMean - stable.triesMean,
    ageP50Ms: candidate.ageP50Ms - stable.ageP50Ms,
    ageP95Ms: candidate.ageP95Ms - stable.ageP95Ms,
  };
  return { kind: "compared", arms: { stable, candidate }, difference };
}
