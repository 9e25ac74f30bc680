import type { Effect } from "../core/rollout/effect.ts";
import type { ArmTarget, RoutingDocument } from "../core/routing/document.ts";
import type { ArmPlan, RolloutPlan } from "../core/stage/plan.ts";
import type { EpochMs } from "../core/unit.ts";

type SetSplit = Extract<Effect, { kind: "set-split" }>;

function target({ releaseId, endpoints, cachePrefix, serves }: ArmPlan): ArmTarget {
  return { releaseId, endpoints, cachePrefix, ...(serves === undefined ? {} : { serves }) };
}

/**
 * The document an effect publishes after `previous`. A rollout's first document starts a new epoch, whatever the effect
 * says, so that nothing of the rollout before it can be mistaken for its own.
 */
export function nextDocument(
  plan: RolloutPlan,
  effect: SetSplit,
  previous: RoutingDocument | null,
  issuedAt: EpochMs,
): RoutingDocument {
  const isNewEpoch = effect.newEpoch || previous === null || previous.rolloutId !== plan.rolloutId;
  const stable = target(plan.arms.stable);
  const candidate = target(plan.arms.candidate);
  return {
    version: 1,
    service: plan.service,
    epoch: (previous?.epoch ?? 0) + (isNewEpoch ? 1 : 0),
    seq: isNewEpoch ? 1 : (previous?.seq ?? 0) + 1,
    rolloutId: plan.rolloutId,
    arms: effect.arms === "swap" ? { stable: candidate, candidate: null } : { stable, candidate },
    candidateBp: effect.candidateBp,
    sticky: { hash: "v1", seed: plan.sticky.seed, ttlMs: plan.sticky.ttlMs },
    identity: plan.identity,
    allow: plan.allow,
    closed: effect.closed,
    drainMs: plan.drainMs,
    issuedAt,
  };
}
