import type { Split } from "./order.ts";
import { askedSignals } from "../judge/asked-signals.ts";
import {
  type ArmTarget,
  DOCUMENT_VERSION,
  NO_TERMS,
  type RoutingDocument,
  type Stickiness,
} from "../routing/document.ts";
import type { ByArm } from "../arm.ts";
import type { ArmFacts } from "../routing/arm-facts.ts";
import type { ArmPlan, TrafficPlan } from "../stage/plan.ts";
import type { EpochMs } from "../unit.ts";

function target({ releaseId, endpoints, cachePrefix, serves }: ArmPlan, facts: ArmFacts): ArmTarget {
  const known = Object.keys(facts).length === 0 ? {} : { facts };
  return { releaseId, endpoints, cachePrefix, ...(serves === undefined ? {} : { serves }), ...known };
}

/**
 * The document an order publishes after `previous`. A rollout's first document starts a new epoch, whatever the order
 * says, so that nothing of the rollout before it can be mistaken for its own. A new epoch lies above everything that a
 * data plane was heard to route by, because none of them goes back.
 */
export function nextDocument(
  plan: TrafficPlan,
  split: Split,
  previous: RoutingDocument | null,
  issuedAt: EpochMs,
  heard: { readonly store: string; readonly highestEpoch: number },
  facts: ByArm<ArmFacts> = { stable: {}, candidate: {} },
): RoutingDocument {
  const isOvertaken = heard.highestEpoch > (previous?.epoch ?? 0);
  const isNewEpoch = split.newEpoch || previous === null || previous.rolloutId !== plan.rolloutId || isOvertaken;
  const signals = askedSignals(plan.gates);
  const stable = target(plan.arms.stable, facts.stable);
  const candidate = target(plan.arms.candidate, facts.candidate);
  return {
    ...NO_TERMS,
    version: DOCUMENT_VERSION,
    service: plan.service,
    epoch: isNewEpoch ? Math.max(previous?.epoch ?? 0, heard.highestEpoch) + 1 : (previous?.epoch ?? 0),
    seq: isNewEpoch ? 1 : (previous?.seq ?? 0) + 1,
    rolloutId: plan.rolloutId,
    arms: split.arms === "swap" ? { stable: candidate, candidate: null } : { stable, candidate },
    candidateBp: split.candidateBp,
    sticky: stickinessOf(plan.sticky),
    identity: plan.identity,
    allow: plan.allow,
    closed: split.closed,
    drainMs: plan.drainMs,
    issuedAt,
    store: heard.store,
    lease: leaseOf(plan, split, previous),
    override: `${plan.rolloutId}/${plan.generation}`,
    ...(plan.segments === undefined ? {} : { segments: plan.segments }),
    ...(signals.length === 0 ? {} : { signals }),
    ...(plan.shadow === undefined || split.shadow !== true ? {} : { shadow: plan.shadow }),
  };
}

/** Without a key nothing can be signed, so there is no cookie either. */
function stickinessOf({ seed, ttlMs, key, cookie }: TrafficPlan["sticky"]): Stickiness {
  const signed = key === undefined ? {} : { key, ...(cookie === undefined ? {} : { cookie }) };
  return { hash: "v1", seed, ttlMs, ...signed };
}

/**
 * A lease says that the candidate had users under it alone, in every document of the rollout so far: only then does its
 * end prove that nobody is there any more. After a promotion nothing is provisional, and taking it back neither.
 */
function leaseOf(
  { leaseMs = null, rolloutId }: TrafficPlan,
  split: Split,
  previous: RoutingDocument | null,
): { readonly ms: number } | null {
  const wasPromoted = previous?.rolloutId === rolloutId && previous.arms.candidate === null;
  const wasUnleased = previous?.rolloutId === rolloutId && (previous.lease ?? null) === null && split.closed.length > 0;
  return leaseMs === null || split.arms === "swap" || wasPromoted || wasUnleased ? null : { ms: leaseMs };
}
