import { isFinal, type Rollout } from "../core/rollout/rollout.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { StoredRollout } from "../ports/controller-store.ts";
import { supersededText } from "./command-text.ts";

/**
 * Why an ended rollout has nothing left to take back: a later one's split is published. Null while it may act.
 * @source definitions.md §13
 */
export function supersededBy(
  rollout: Rollout,
  current: RoutingDocument | null,
  find: (rolloutId: string) => StoredRollout | null,
): string | null {
  const { service, rolloutId, acceptedEpoch } = rollout.plan;
  if (!isFinal(rollout) || current === null || current.rolloutId === rolloutId) return null;
  if (current.epoch <= (acceptedEpoch ?? 0)) return null;
  const mover = current.rolloutId === null ? null : (find(current.rolloutId)?.rollout ?? null);
  return supersededText(service, current.rolloutId, mover);
}

/** One process at a time orders a service's traffic: an ended rollout takes nothing back while another one runs. */
export function busyWith({ plan: { service, rolloutId } }: Rollout, rollouts: readonly StoredRollout[]): string | null {
  const busy = rollouts.find(
    ({ rollout }) => rollout.plan.service === service && rollout.plan.rolloutId !== rolloutId && !isFinal(rollout),
  );
  if (busy === undefined) return null;
  const other = busy.rollout.plan.rolloutId;
  return `rollout ${other} of service ${service} is ${busy.rollout.phase}; end it first: sluice abort ${other}`;
}
