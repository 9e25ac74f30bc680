import { describe, expect, it } from "vitest";
import { after, aRollout, probes, traffic, watch } from "../../../test/builders.ts";
import { bp } from "../unit.ts";
import { brokenInvariants } from "./invariant.ts";
import { compare } from "./order.ts";
import type { Rollout } from "./rollout.ts";

const plan = { stages: [traffic(10), probes(), watch()] };
const awaiting = [{ ...compare(), id: "x/1/0" }];
const running: Partial<Rollout> = { phase: "progressing", startedAt: after(0) };
const back: Partial<Rollout> = { startedAt: after(0), rollbackOrderedAt: after(1) };
const ended: Partial<Rollout> = { ...back, endedAt: after(2) };

/** Each rule, a state that keeps it at its very edge, and one that breaks it alone. */
const RULES: readonly (readonly [rule: string, kept: Partial<Rollout>, broken: Partial<Rollout>])[] = [
  [
    "I4: nothing is ordered onto the candidate once it goes back",
    { ...back, phase: "rolling-back", candidateBp: bp(0) },
    { ...back, phase: "rolling-back", candidateBp: bp(1) },
  ],
  [
    "I4: nothing is ordered onto the candidate once it goes back",
    { ...ended, phase: "rolled-back" },
    { ...ended, phase: "rolled-back", candidateBp: bp(1) },
  ],
  [
    "I4: nothing is ordered onto the candidate once it goes back",
    { ...ended, phase: "aborted" },
    { ...ended, phase: "aborted", candidateBp: bp(1) },
  ],
  [
    "I4: nothing is ordered onto the candidate once it goes back",
    { ...ended, phase: "rollback-failed" },
    { ...ended, phase: "rollback-failed", candidateBp: bp(1) },
  ],
  [
    "the candidate never has more than its stage",
    { ...running, candidateBp: bp(1_000) },
    { ...running, candidateBp: bp(1_001) },
  ],
  [
    "an ended rollout waits for nothing",
    { ...ended, phase: "promoted", stageIndex: 2 },
    { ...ended, phase: "promoted", stageIndex: 2, awaiting },
  ],
  ["a running rollout has a start", { ...running }, { ...running, startedAt: null }],
  ["an end has a time, and nothing else has", { ...running }, { ...running, endedAt: after(2) }],
  [
    "an end has a time, and nothing else has",
    { ...ended, phase: "promoted", stageIndex: 2 },
    { ...ended, phase: "promoted", stageIndex: 2, endedAt: null },
  ],
  [
    "a rollback knows when it was ordered",
    { ...back, phase: "rolling-back" },
    { ...back, phase: "rolling-back", rollbackOrderedAt: null },
  ],
  ["probes run in probe stages", { ...running, phase: "probing", stageIndex: 1 }, { ...running, phase: "probing" }],
  [
    "a rollout that waits says for what",
    { ...running, phase: "waiting", paused: true },
    { ...running, phase: "waiting" },
  ],
];

describe("brokenInvariants", () => {
  it.each(RULES)("%s", (rule, kept, broken) => {
    expect(brokenInvariants(aRollout(kept, plan))).toEqual([]);
    expect(brokenInvariants(aRollout(broken, plan))).toEqual([rule]);
  });

  it("holds of a rollout that has not begun, of all traffic in the watch, and of the share kept during probes", () => {
    expect(brokenInvariants(aRollout({}, plan))).toEqual([]);
    expect(brokenInvariants(aRollout({ ...running, stageIndex: 2, candidateBp: bp(10_000) }, plan))).toEqual([]);
    expect(
      brokenInvariants(aRollout({ ...running, phase: "probing", stageIndex: 1, candidateBp: bp(1_000) }, plan)),
    ).toEqual([]);
    const cause = { gate: null, verdict: null, stageIndex: 0, at: after(1), text: "unproven" };
    expect(brokenInvariants(aRollout({ ...running, phase: "waiting", cause }, plan))).toEqual([]);
  });
});
