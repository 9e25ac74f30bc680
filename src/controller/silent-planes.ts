import { isFinal } from "../core/rollout/rollout.ts";
import type { EpochMs } from "../core/unit.ts";
import type { ControllerStore, StoredPlane, StoredRollout } from "../ports/controller-store.ts";
import type { GatewayRegistry } from "./gateway-registry.ts";

/** A data plane that was not heard of for this long is gone. @source definitions.md §11, "Promotion" */
export const FORGET_AFTER_MS = 3_600_000;

/** What is asked of a controller about its data planes. */
export interface PlaneHistory {
  readonly store: ControllerStore;
  readonly hub: GatewayRegistry;
  readonly rollouts: () => readonly StoredRollout[];
  readonly wallMs: () => EpochMs;
}

/**
 * Whether a silent data plane cannot send users to a candidate any more: nothing in force says that it may, and since
 * every time in which a candidate had users without a lease it was heard with a document that has none.
 */
export async function isHarmless(plane: StoredPlane, history: PlaneHistory): Promise<boolean> {
  const { service, gatewayId, firstSeenAt } = plane;
  const { hub, wallMs } = history;
  const document = hub.current(service);
  const silence = hub.silence(gatewayId);
  if (document === null || silence === null || silence.leaseLeftMs > 0) return false;
  const direction = document.closed.includes("candidate") ? "back" : "forward";
  const standing = hub.confirm(document, direction).planes.find((one) => one.gatewayId === gatewayId);
  if (standing === undefined || standing.candidateLeftMs > 0) return false;
  const harmlessAt = silence.harmlessMs === null ? Number.NEGATIVE_INFINITY : wallMs() - silence.harmlessMs;
  const ends = await unleasedEnds(service, history);
  return ends.every((end) => end < firstSeenAt || end <= harmlessAt);
}

/** When the times ended in which a data plane may have taken a document that gives users to a candidate for ever. */
async function unleasedEnds(service: string, { store, rollouts }: PlaneHistory): Promise<readonly number[]> {
  const running = rollouts().flatMap(({ rollout }) => {
    const { plan, startedAt, splitOrdered } = rollout;
    if (isFinal(rollout) || plan.service !== service) return [];
    const { generation, leaseMs = null } = plan;
    return [{ generation, leaseMs, startedAt, splitOrdered, endedAt: Number.POSITIVE_INFINITY }];
  });
  const own = [...running, ...(await store.ended(service))].filter(({ splitOrdered }) => splitOrdered);
  const taken = own.flatMap(({ generation, leaseMs, startedAt, endedAt }) => {
    // Nobody knows what the generations before this one said of a lease.
    const before = generation > 1 && startedAt !== null ? [startedAt] : [];
    return leaseMs === null ? [endedAt] : before;
  });
  // A promotion that was taken back: until then the candidate was everybody's stable.
  const undone = (await store.pointerHistory(service)).filter(({ cause }) => cause === "rolled-back");
  return [...taken, ...undone.map(({ pointer }) => pointer.since.at)];
}
