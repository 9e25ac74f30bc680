import { describe, expect, it } from "vitest";
import { aRollout } from "../../test/builders.ts";
import type { Phase } from "../core/rollout/rollout.ts";
import { startObservations } from "../core/observe/observe.ts";
import { epochMs } from "../core/unit.ts";
import { endedOf, type StoredRollout } from "../ports/controller-store.ts";
import { prunable } from "./pruning.ts";

const NOW = 1_000_000;
const NOTHING: ReadonlySet<string> = new Set();

/** A rollout that ended so long ago; null for one that runs. */
function aged(rolloutId: string, agoMs: number | null, service = "rag", phase: Phase = "aborted"): StoredRollout {
  const end = agoMs === null ? {} : ({ phase, endedAt: epochMs(NOW - agoMs) } as const);
  const rollout = aRollout(agoMs === null ? { phase: "progressing" } : end, { rolloutId, service });
  return { rollout, observations: startObservations(rollout.plan, []), version: 1, createdAt: epochMs(0) };
}

const named = (rollouts: readonly StoredRollout[], olderThanMs: number, keep: number, needed = NOTHING) =>
  prunable(
    rollouts.flatMap((stored) => endedOf(stored) ?? []),
    needed,
    { olderThanMs, keep },
    NOW,
  ).map(({ rolloutId }) => rolloutId);

describe("what is removed of ended rollouts", () => {
  const rollouts = [aged("c", 300), aged("a", 500), aged("d", 200), aged("b", 400), aged("runs", null)];

  it("is what ended longer ago, the oldest first, and never what runs", () => {
    expect(named(rollouts, 300, 0)).toEqual(["a", "b", "c"]);
    expect(named(rollouts, 301, 0)).toEqual(["a", "b"]);
    expect(named(rollouts, 0, 0)).toEqual(["a", "b", "c", "d"]);
  });

  it("leaves the last ones of each service, however old", () => {
    const other = [aged("x", 900, "other"), aged("y", 800, "other"), aged("z", 700, "other", "rollback-failed")];
    expect(named([...rollouts, ...other], 0, 2)).toEqual(["x", "a", "b"]);
    expect(named([...rollouts, ...other], 0, 4)).toEqual([]);
  });

  it("is never what is needed, and that counts among those that stay", () => {
    expect(named(rollouts, 0, 1, new Set(["a", "d"]))).toEqual(["b", "c"]);
  });
});
