import { describe, expect, it } from "vitest";
import { after, aGate, aRollout, aVerdict, probes, traffic, watch } from "../../../test/builders.ts";
import { onCommand, refusal } from "./command.ts";
import type { Command } from "./event.ts";
import type { Phase, Rollout } from "./rollout.ts";

const COMMANDS = ["promote", "pause", "resume", "abort", "rollback"] as const satisfies readonly Command[];
const ENDED = "the rollout has ended";

/** For each phase what the five commands answer, in their order; null where they act. */
const ANSWERS: Readonly<Record<Phase, readonly (string | null)[]>> = {
  pending: ["cannot promote now: pending", null, "not paused and not waiting", null, null],
  checking: ["cannot promote now: checking", null, "not paused and not waiting", null, null],
  probing: ["cannot promote now: probing", null, "not paused and not waiting", null, null],
  progressing: [null, null, "not paused and not waiting", null, null],
  waiting: [null, null, null, null, null],
  promoting: ["cannot promote now: promoting", null, "not paused and not waiting", null, null],
  retreating: ["cannot promote now: retreating", "nothing to pause", "nothing to resume", null, null],
  "rolling-back": [
    "cannot promote now: rolling-back",
    "nothing to pause",
    "nothing to resume",
    "already rolling back",
    "already rolling-back",
  ],
  promoted: ["cannot promote now: promoted", "nothing to pause", "nothing to resume", ENDED, null],
  "rolled-back": [
    "cannot promote now: rolled-back",
    "nothing to pause",
    "nothing to resume",
    ENDED,
    "already rolled-back",
  ],
  aborted: ["cannot promote now: aborted", "nothing to pause", "nothing to resume", ENDED, "already aborted"],
  "rollback-failed": ["cannot promote now: rollback-failed", "nothing to pause", "nothing to resume", ENDED, null],
};

const held = { holdingSince: after(0), startedAt: after(0), splitOrdered: true } as const;
const asked = (command: Command, atMs: number, over: { full?: boolean; reason?: string } = {}) =>
  ({ kind: "commanded", at: after(atMs), command, full: false, by: "ann", reason: "", ...over }) as const;

describe("refusal", () => {
  it.each(Object.entries(ANSWERS))("of each command while %s", (phase, answers) => {
    const rollout = aRollout({ ...held, phase: phase as Phase });
    COMMANDS.forEach((command, index) => {
      const expected = answers[index];
      if (expected === null) expect(refusal(rollout, command)).toBeNull();
      else expect(refusal(rollout, command)).toContain(expected);
    });
  });

  it("of a promotion before the share is confirmed, of a second pause, and not of a resume while paused", () => {
    const rollout = aRollout({ ...held, phase: "progressing", holdingSince: null });
    expect(refusal(rollout, "promote")).toContain("wait until the share is confirmed");
    const paused = { ...rollout, paused: true };
    expect([refusal(paused, "pause"), refusal(paused, "resume")]).toEqual(["already paused", null]);
  });

  it("changes nothing at all", () => {
    for (const [phase, answers] of Object.entries(ANSWERS)) {
      const rollout = aRollout({ ...held, phase: phase as Phase });
      COMMANDS.forEach((command, index) => {
        if (answers[index] === null) return;
        expect(onCommand(rollout, asked(command, 9))).toEqual({ state: rollout, effects: [] });
      });
    }
  });
});

describe("a command", () => {
  it("is told as the cause, with the reason where one was given", () => {
    const rollout = aRollout({ ...held, phase: "progressing" });
    const causeOf = (reason: string) => onCommand(rollout, asked("abort", 3, { reason })).state.cause;
    expect(causeOf("")).toEqual({ gate: null, verdict: null, stageIndex: 0, at: after(3), text: "abort by ann" });
    expect(causeOf("wrong index")?.text).toBe("abort by ann: wrong index");
  });

  it("leads to the end it is named after", () => {
    const rollout = aRollout({ ...held, phase: "progressing" });
    expect(onCommand(rollout, asked("abort", 1)).state.ending).toBe("aborted");
    expect(onCommand(rollout, asked("rollback", 1)).state.ending).toBe("rolled-back");
  });

  it("of a person ends a pause when it promotes or takes back", () => {
    const paused = aRollout({ ...held, phase: "progressing", paused: true, pausedAt: after(1) });
    for (const event of [asked("promote", 2), asked("promote", 2, { full: true }), asked("abort", 2)])
      expect(onCommand(paused, event).state).toMatchObject({ paused: false, pausedAt: null });
  });

  it("promotes fully from the last stage by ending it", () => {
    const last = aRollout({ ...held, phase: "progressing", stageIndex: 2 });
    const { state, effects } = onCommand(last, asked("promote", 2, { full: true }));
    expect(state).toMatchObject({ phase: "promoting", unprovenStages: [2] });
    expect(effects).toMatchObject([{ kind: "set-split", arms: "swap" }]);
  });

  it("keeps the stages that were unproven before", () => {
    const rollout = aRollout({ ...held, phase: "progressing", stageIndex: 1, unprovenStages: [0] });
    expect(onCommand(rollout, asked("promote", 1)).state.unprovenStages).toEqual([0, 1]);
    expect(onCommand(rollout, asked("promote", 1, { full: true })).state.unprovenStages).toEqual([0, 1]);
    const proven = { ...rollout, verdicts: [aVerdict("error-rate", "pass")] };
    expect(onCommand(proven, asked("promote", 1)).state.unprovenStages).toEqual([0]);
  });
});

describe("pause and resume", () => {
  it("stop the clock where it was, and start none where the share was not confirmed yet", () => {
    const holding = aRollout({ ...held, phase: "progressing" });
    const paused = onCommand(holding, asked("pause", 4_000)).state;
    expect(paused).toMatchObject({ paused: true, pausedAt: after(4_000), holdingSince: after(0) });
    const resumed = onCommand(paused, asked("resume", 54_000)).state;
    expect(resumed).toMatchObject({ paused: false, pausedAt: null, holdingSince: after(50_000), phase: "progressing" });

    const unconfirmed = onCommand({ ...holding, holdingSince: null }, asked("pause", 4_000)).state;
    expect(unconfirmed).toMatchObject({ paused: true, pausedAt: null });
    const going = onCommand(unconfirmed, asked("resume", 9_000)).state;
    expect(going).toMatchObject({ paused: false, pausedAt: null, holdingSince: null });
  });

  it("holds a stage that waited for a person again, from now on", () => {
    const cause = { gate: null, verdict: null, stageIndex: 0, at: after(1), text: "unproven" };
    const waiting = aRollout({ ...held, phase: "waiting", cause });
    expect(onCommand(waiting, asked("resume", 7_000))).toMatchObject({
      state: { phase: "progressing", holdingSince: after(7_000), cause: null },
      effects: [],
    });
  });

  it("goes on after probes that passed during the pause, and asks again where they did not", () => {
    const plan = { stages: [probes(), traffic(10), watch()], gates: [aGate("coverage")] };
    const waiting = (verdict: "pass" | "inconclusive"): Rollout =>
      aRollout({ phase: "waiting", paused: true, verdicts: [aVerdict("coverage", verdict)], probeAttempts: 1 }, plan);
    const passed = onCommand(waiting("pass"), asked("resume", 5)).state;
    expect(passed).toMatchObject({ phase: "progressing", stageIndex: 1, paused: false, unprovenStages: [] });
    const again = onCommand(waiting("inconclusive"), asked("resume", 5));
    expect(again.state).toMatchObject({ phase: "probing", stageIndex: 0, probeAttempts: 2 });
    expect(again.effects).toMatchObject([{ kind: "run-probes", extraRepeats: 2 }]);
  });
});
