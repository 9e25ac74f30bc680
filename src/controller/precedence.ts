import { isFinal, isTakenBack, type Rollout } from "../core/rollout/rollout.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { ServicePointer } from "../core/service/pointer.ts";
import type { StoredRollout } from "../ports/controller-store.ts";
import { supersededText } from "./command-text.ts";

/** The document in force for a rollout's service, as much of it as is needed to see who decides; null before any. */
export type DocumentInForce = Pick<RoutingDocument, "rolloutId" | "epoch"> | null;

/**
 * Whether a later rollout's split, or an operator's, is published: then an ended one has nothing left to take back.
 * @source definitions.md §13
 */
export function isSuperseded(rollout: Rollout, current: DocumentInForce): current is Exclude<DocumentInForce, null> {
  const { rolloutId, acceptedEpoch } = rollout.plan;
  if (!isFinal(rollout) || current === null || current.rolloutId === rolloutId) return false;
  return current.epoch > (acceptedEpoch ?? 0);
}

/** Why an ended rollout has nothing left to take back, for a person; null while it may act. */
export function supersededBy(
  rollout: Rollout,
  current: DocumentInForce,
  find: (rolloutId: string) => StoredRollout | null,
  pointer: ServicePointer | null,
): string | null {
  if (!isSuperseded(rollout, current)) return null;
  const { service, rolloutId } = rollout.plan;
  const mover = current.rolloutId === null ? null : (find(current.rolloutId)?.rollout ?? null);
  return supersededText(rolloutId, service, current.rolloutId, mover, pointer);
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

/**
 * Tells of a document whether the rollout that published it was ordered to go back, or has begun another try since:
 * nobody is given its candidate any more, even before the document of the way back is published. What is still being
 * stored does not count yet, and need not: a report waits in the same queue, so it was asked before that is durable.
 */
export function wayBackOf(
  find: (rolloutId: string) => StoredRollout | null,
): (document: Pick<RoutingDocument, "rolloutId" | "override">) => boolean {
  return ({ rolloutId, override }) => {
    const rollout = rolloutId === null ? undefined : find(rolloutId)?.rollout;
    if (rollout === undefined) return false;
    return isTakenBack(rollout) || override !== `${rollout.plan.rolloutId}/${rollout.plan.generation}`;
  };
}
