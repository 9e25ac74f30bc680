import { describe, expect, it } from "vitest";
import { aPlan, aRollout } from "../../../test/builders.ts";
import { startObservations } from "../../core/observe/observe.ts";
import type { Phase } from "../../core/rollout/rollout.ts";
import { epochMs } from "../../core/unit.ts";
import { memoryStore } from "../../drivers/store/memory/index.ts";
import { carryOver, factsOf, lostSince, pauseUnfinished } from "./reconcile.ts";

const AT = epochMs(1_800_000_000_000);

async function aStore(...rollouts: readonly (readonly [id: string, phase: Phase, entries: number, version: number])[]) {
  const store = memoryStore();
  await store.own("store-1");
  for (const [rolloutId, phase, entries, version] of rollouts) {
    const rollout = aRollout({ phase, startedAt: AT }, { rolloutId, leaseMs: 4_000 });
    const observations = startObservations(aPlan(), []);
    const next = { rollout, observations, version, createdAt: AT };
    const journal = Array.from({ length: entries }, (_, index) => {
      const { stageIndex, candidateBp } = rollout;
      return {
        schema: rollout.schema,
        rolloutId,
        index,
        event: { kind: "tick", at: AT } as const,
        orders: [],
        phase,
        stageIndex,
        candidateBp,
      };
    });
    await store.commit({ rollout: { expectedVersion: null, next }, journal });
  }
  return store;
}

describe("a store that was restored", () => {
  it("says what the one before knew beyond it: rollouts, journal entries, measurements", async () => {
    const backup = await factsOf(
      await aStore(["a", "progressing", 3, 5], ["b", "promoted", 2, 2], ["c", "waiting", 1, 1]),
    );
    const before = await factsOf(
      await aStore(["a", "aborted", 7, 9], ["b", "promoted", 2, 2], ["c", "waiting", 1, 4], ["d", "progressing", 2, 2]),
    );
    expect(lostSince(before, backup)).toEqual([
      "4 journal entries of rollout a: it was aborted, in the backup it is progressing",
      "what was measured of rollout c since",
      "rollout d, begun since: it was progressing, 2 journal entries",
    ]);
    expect([backup.leaseMs, backup.owner]).toEqual([4_000, 2]);
  });

  it("pauses what it believes to run and has lost something of, journalled; ends and ways back are left", async () => {
    const store = await aStore(
      ["a", "progressing", 1, 1],
      ["b", "rolling-back", 1, 1],
      ["c", "promoted", 1, 1],
      ["d", "waiting", 1, 1],
    );
    expect(await pauseUnfinished(store, AT, ({ rollout }) => rollout.plan.rolloutId !== "d")).toEqual(["a"]);
    const paused = (await store.rollouts()).filter(({ rollout }) => rollout.paused);
    expect(paused.map(({ rollout, version }) => [rollout.plan.rolloutId, version])).toEqual([["a", 2]]);
    expect((await store.journal("a")).at(-1)).toMatchObject({
      index: 1,
      event: { kind: "commanded", command: "pause", by: "sluice restore" },
      orders: [],
    });
  });

  it("keeps the gateways and tokens of the one before, revoked ones too", async () => {
    const [before, restored] = [await aStore(), await aStore()];
    const plane = {
      service: "desk",
      gatewayId: "g1",
      planeId: "p1",
      version: 2,
      firstSeenAt: AT,
      gone: null,
    };
    const token = { hash: "h", name: "ci", scope: "view", createdAt: AT, expiresAt: null, revokedAt: AT } as const;
    await before.commit({ planes: [plane], token });
    await carryOver(before, restored);
    expect([await restored.planes(), await restored.tokens()]).toEqual([[plane], [token]]);
  });
});
