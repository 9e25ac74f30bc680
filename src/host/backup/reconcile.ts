import { turn } from "../../core/rollout/wheel.ts";
import { answerTo } from "../../core/rollout/command.ts";
import type { RolloutEvent } from "../../core/rollout/event.ts";
import { isFinal, type Phase } from "../../core/rollout/rollout.ts";
import type { EpochMs } from "../../core/unit.ts";
import type { ControllerStore, StoredPlane, StoredRollout } from "../../ports/controller-store.ts";

/** What a store holds that a restore compares. */
export interface StoreFacts {
  readonly owner: number;
  readonly announcedMs: number;
  readonly epochs: Readonly<Record<string, number>>;
  /** The longest lease of any rollout and document. */
  readonly leaseMs: number;
  readonly rollouts: readonly { readonly id: string; readonly phase: Phase; readonly version: number }[];
  /** Journal entries by rollout. */
  readonly entries: Readonly<Record<string, number>>;
}

/** Reads a store that no controller has open; it is taken, so that one that still runs somewhere would end. */
export async function factsOf(store: ControllerStore): Promise<StoreFacts> {
  const { owner, announcedMs } = await store.own("never");
  const [rollouts, published] = [await store.rollouts(), await store.published()];
  const entries: Record<string, number> = {};
  for (const { rollout } of rollouts)
    entries[rollout.plan.rolloutId] = (await store.journal(rollout.plan.rolloutId)).length;
  const leases = [
    ...rollouts.map(({ rollout }) => rollout.plan.leaseMs ?? 0),
    ...published.map(({ document }) => document.lease?.ms ?? 0),
  ];
  return {
    owner,
    announcedMs,
    epochs: Object.fromEntries(published.map(({ document }) => [document.service, document.epoch])),
    leaseMs: Math.max(0, ...leases),
    rollouts: rollouts.map(({ rollout, version }) => ({ id: rollout.plan.rolloutId, phase: rollout.phase, version })),
    entries,
  };
}

/** What the database that was there knew and the backup does not, a sentence each. */
export function lostSince(before: StoreFacts, backup: StoreFacts): readonly string[] {
  return before.rollouts.flatMap(({ id, phase, version }) => {
    const kept = backup.rollouts.find((one) => one.id === id);
    const entries = before.entries[id] ?? 0;
    if (kept === undefined) return [`rollout ${id}, begun since: it was ${phase}, ${entries} journal entries`];
    const more = entries - (backup.entries[id] ?? 0);
    if (more > 0)
      return [`${more} journal entries of rollout ${id}: it was ${phase}, in the backup it is ${kept.phase}`];
    return version > kept.version ? [`what was measured of rollout ${id} since`] : [];
  });
}

/** Gateways and tokens of the database that was there; without them a silent gateway would not be waited for. */
export async function carryOver(from: ControllerStore, to: ControllerStore): Promise<void> {
  const planes: readonly StoredPlane[] = await from.planes();
  if (planes.length > 0) await to.commit({ planes });
  for (const token of await from.tokens()) await to.commit({ token });
}

/**
 * Pauses what the backup believes to be running: how it went on is not known, so nobody is moved before a person says
 * so. What is on its way back to stable goes on.
 * @param isNews false for a rollout of which nothing was lost
 * @returns ids of the paused ones
 */
export async function pauseUnfinished(
  store: ControllerStore,
  at: EpochMs,
  isNews: (stored: StoredRollout) => boolean,
): Promise<readonly string[]> {
  const paused: string[] = [];
  for (const stored of await store.rollouts()) {
    const { rollout, observations: seen, version } = stored;
    if (isFinal(rollout) || answerTo(rollout, "pause").kind !== "acts" || !isNews(stored)) continue;
    const { rolloutId, service } = rollout.plan;
    const reason = "restored from a backup: what happened since is not known";
    const event: RolloutEvent = { kind: "commanded", at, command: "pause", full: false, by: "sluice restore", reason };
    const epoch = (await store.published()).find(({ document }) => document.service === service)?.document.epoch ?? 0;
    const { rollout: next, seen: observations, orders } = turn(rollout, seen, event, epoch);
    const { phase, stageIndex, candidateBp } = next;
    const index = (await store.journal(rolloutId)).length;
    await store.commit({
      rollout: { expectedVersion: version, next: { ...stored, rollout: next, observations, version: version + 1 } },
      journal: [{ schema: next.schema, rolloutId, index, event, orders, phase, stageIndex, candidateBp }],
    });
    paused.push(rolloutId);
  }
  return paused;
}
