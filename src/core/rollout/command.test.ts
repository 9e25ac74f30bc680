import { describe, expect, it } from "vitest";
import { after, aGate, aRollout, aVerdict, probes, traffic, watch } from "../../../test/builders.ts";
import { answerTo, onCommand } from "./command.ts";
import type { Command } from "./event.ts";
import { isFinal, type Phase, type Rollout } from "./rollout.ts";

const COMMANDS = ["promote", "pause", "resume", "abort", "rollback"] as const satisfies readonly Command[];

/** For each phase what the five commands answer, in their order: "acts", "held", or the command that works instead. */
const ANSWERS: Readonly<Record<Phase, readonly string[]>> = {
  pending: ["abort", "acts", "held", "acts", "acts"],
  checking: ["abort", "acts", "held", "acts", "acts"],
  probing: ["abort", "acts", "held", "acts", "acts"],
  progressing: ["acts", "acts", "held", "acts", "acts"],
  waiting: ["acts", "acts", "acts", "acts", "acts"],
  promoting: ["held", "rollback", "held", "acts", "acts"],
  retreating: ["abort", "abort", "held", "acts", "acts"],
  "rolling-back": ["watch", "watch", "watch", "held", "held"],
  promoted: ["held", "rollback", "rollback", "rollback", "acts"],
  "rolled-back": ["retry", "retry", "retry", "held", "held"],
  aborted: ["retry", "retry", "retry", "held", "held"],
  "rollback-failed": ["rollback", "rollback", "rollback", "rollback", "acts"],
};

const wordOf = (rollout: Rollout, command: Command) => {
  const answer = answerTo(rollout, command);
  return answer.kind === "refused" ? answer.instead : answer.kind;
};

const held = { holdingSince: after(0), startedAt: after(0), splitOrdered: true } as const;
const asked = (command: Command, atMs: number, over: { full?: boolean; reason?: string } = {}) =>
  ({ kind: "commanded", at: after(atMs), command, full: false, by: "ann", reason: "", ...over }) as const;

describe("answerTo", () => {
  it.each(Object.entries(ANSWERS))("each command while %s", (phase, answers) => {
    const rollout = aRollout({ ...held, phase: phase as Phase });
    expect(COMMANDS.map((command) => wordOf(rollout, command))).toEqual(answers);
  });

  it("a promotion before the share is confirmed, a second pause, and a resume while paused", () => {
    const rollout = aRollout({ ...held, phase: "progressing", holdingSince: null });
    expect(wordOf(rollout, "promote")).toBe("abort");
    const paused = { ...rollout, paused: true };
    expect([wordOf(paused, "pause"), wordOf(paused, "resume")]).toEqual(["held", "acts"]);
    expect(wordOf({ ...paused, phase: "retreating" }, "resume")).toBe("acts");
  });

  it("changes nothing at all unless the command acts", () => {
    for (const [phase, answers] of Object.entries(ANSWERS)) {
      const rollout = aRollout({ ...held, phase: phase as Phase });
      COMMANDS.forEach((command, index) => {
        if (answers[index] === "acts") return;
        expect(onCommand(rollout, asked(command, 9))).toEqual({ state: rollout, orders: [] });
      });
    }
  });

  it("names instead of itself only a command that works: one that acts or holds, a retry after the end, or a watch", () => {
    for (const phase of Object.keys(ANSWERS) as Phase[]) {
      const rollout = aRollout({ ...held, phase });
      for (const command of COMMANDS) {
        const answer = answerTo(rollout, command);
        if (answer.kind !== "refused") continue;
        const { instead } = answer;
        if (instead === "watch") continue;
        if (instead === "retry") expect(isFinal(rollout)).toBe(true);
        else
          expect([phase, command, wordOf(rollout, instead)]).toEqual([
            phase,
            command,
            expect.stringMatching(/acts|held/),
          ]);
      }
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
    const { state, orders } = onCommand(last, asked("promote", 2, { full: true }));
    expect(state).toMatchObject({ phase: "promoting", unprovenStages: [2] });
    expect(orders).toMatchObject([{ port: "traffic", args: { arms: "swap" } }]);
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
      orders: [],
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
    expect(again.orders).toMatchObject([{ port: "probe", args: { extraRepeats: 2 } }]);
  });
});
