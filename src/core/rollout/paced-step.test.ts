import { describe, expect, it } from "vitest";
import { aBlock, aGate, aPlan, aRollout, aVerdict, after, probes, T0, traffic, watch } from "../../../test/builders.ts";
import { Story } from "../../../test/story.ts";
import { foldEvidence, startEvidence } from "../judge/engine.ts";
import { foldRate, NO_TRAFFIC } from "../pace/traffic-rate.ts";
import { bp } from "../unit.ts";
import { look } from "./wheel.ts";

const pace = { harm: { dead: 7, fourfoldErrors: 50, slower40: 2_000 }, fastest: 5 };
const HOLD_MS = 30_000;
const CAP_MS = 3_600_000;
const stages = [
  probes(),
  traffic(0.1, HOLD_MS, CAP_MS),
  traffic(1, HOLD_MS, CAP_MS),
  traffic(5, HOLD_MS, CAP_MS),
  probes("smoke"),
  traffic(10, HOLD_MS, CAP_MS),
  traffic(15, HOLD_MS, CAP_MS),
  probes("smoke"),
  traffic(50, HOLD_MS, CAP_MS),
  probes(),
  watch(),
];
const PASS = aVerdict("error-rate", "pass");
const UNPROVEN = aVerdict("error-rate", "inconclusive");

/** A paced rollout whose full probes passed and whose smallest share is served. */
function measuring(onFail: "stable" | "previous-stage" = "stable"): Story {
  return new Story({ stages, pace, onFail: { to: onFail } }).done(after(1), [aVerdict("coverage", "pass")]).done(T0);
}

/** The verdicts of a look, with the stage that evidence chose; null where no greater share keeps the bounds. */
function judged(story: Story, atMs: number, verdict: typeof PASS, stageIndex: number | null, needsProof = true): Story {
  const { stageIndex: fromIndex } = story.state;
  const choice = { fromIndex, stageIndex, needsProof, text: `to ${stageIndex}` };
  return story.take({ kind: "judged", at: after(atMs), stageIndex: fromIndex, verdicts: [verdict], choice });
}

describe("a paced rollout, step by step", () => {
  it("goes to the chosen share by way of the probes before it, at most once in half a minute, and marks nothing unproven", () => {
    const story = measuring();
    expect(story.state).toMatchObject({ stageIndex: 1, candidateBp: 10, stoodAt: [1] });
    expect(judged(story, HOLD_MS - 1, UNPROVEN, 5, false).state.stageIndex).toBe(1);
    expect(judged(story, HOLD_MS, UNPROVEN, 5, false).state).toMatchObject({ stageIndex: 4, phase: "probing" });
    expect(story.orders).toMatchObject([{ port: "probe", args: { tier: "smoke" } }]);
    story.done(after(31_000), [aVerdict("coverage", "pass")]);
    expect(story.state).toMatchObject({ stageIndex: 5, candidateBp: 1_000, stoodAt: [1, 5], unprovenStages: [] });
  });

  it("leaves a share on proof alone, and holds a proven one where the bounds allow nothing greater, until a person is asked", () => {
    const story = judged(measuring(), HOLD_MS, UNPROVEN, 2, false).done(after(31_000));
    expect(judged(story, 70_000, UNPROVEN, 3).state.stageIndex).toBe(2);
    expect(judged(story, 80_000, PASS, null).state).toMatchObject({ stageIndex: 2, phase: "progressing" });
    const asked = judged(story, 31_000 + CAP_MS, PASS, null).state;
    expect(asked.phase).toBe("waiting");
    expect(asked.cause?.text).toBe("no greater share keeps the bounds on harm: to null");
    expect(story.command(after(CAP_MS + 60_000), "promote").state).toMatchObject({ stageIndex: 3, candidateBp: 500 });
  });

  it("stays where nothing is chosen, and at the last share climbs on without a choice", () => {
    const story = measuring();
    expect(story.judged(after(HOLD_MS), PASS).state.stageIndex).toBe(1);
    judged(story, HOLD_MS + 1, UNPROVEN, 8, false).done(after(31_000), [aVerdict("coverage", "pass")]);
    story.done(after(32_000));
    expect(story.state).toMatchObject({ stageIndex: 8, candidateBp: 5_000, stoodAt: [1, 8] });
    expect(story.judged(after(63_000), PASS).state).toMatchObject({ stageIndex: 9, phase: "probing" });
  });

  it("goes back to the share it stood at before, not to one it left out, and to stable the second time", () => {
    const story = judged(measuring("previous-stage"), HOLD_MS, UNPROVEN, 6, false);
    story.done(after(31_000), [aVerdict("coverage", "pass")]).done(after(32_000));
    expect(story.state.candidateBp).toBe(1_500);
    story.judged(after(33_000), aVerdict("error-rate", "fail"));
    expect(story.state).toMatchObject({ phase: "retreating", stageIndex: 1, candidateBp: 10, choice: null });
    judged(story.done(after(34_000)), 65_000, UNPROVEN, 6, false);
    story.done(after(66_000), [aVerdict("coverage", "pass")]).done(after(67_000));
    story.judged(after(68_000), aVerdict("error-rate", "fail"));
    expect(story.state).toMatchObject({ phase: "rolling-back", candidateBp: 0, frozen: true });
  });
});

describe("a look at a paced rollout", () => {
  const gates = [aGate("error-rate", { ...aPlan().gates[0]?.options, alpha: 0.001, beta: 0.05, minSamples: 100 })];
  const options = { margin: { under10: 0.02, under50: 0.01, from50: 0.005 } };
  const asked = gates.map((gate) => ({ ...gate, options: { ...gate.options, ...options } }));
  const plan = aPlan({ stages, pace, gates: asked });
  const serving = aRollout(
    { phase: "progressing", stageIndex: 1, candidateBp: bp(10), startedAt: T0, holdingSince: T0 },
    plan,
  );
  const seconds = Array.from({ length: 60 }, (_, at) => aBlock(0.1, { requests: 10 }, {}, at + 1));
  const seen = {
    evidence: seconds.reduce((evidence, block) => foldEvidence(evidence, block, asked), startEvidence(asked)),
    rate: seconds.reduce(foldRate, NO_TRAFFIC),
    generation: 0,
    judgedAfterEpoch: 0,
  };
  const chosen = (beside: Parameters<typeof look>[5]) =>
    look(serving, seen, after(60_000), () => true, undefined, beside);

  it("chooses by the rate it measured", () => {
    expect(chosen([])?.choice).toMatchObject({ stageIndex: 5, needsProof: false });
  });

  it.each([
    ["an identity that nobody could read", aVerdict("parity", "no-data")],
    ["a gate that cannot be trusted", aVerdict("sample-ratio", "error")],
    ["failures over their limit so far", aVerdict("metric", "inconclusive", { estimate: 0.03, threshold: 0.02 })],
  ])("chooses nothing beside %s, whatever the bounds allow", (_, beside) => {
    expect(chosen([beside])).not.toHaveProperty("choice");
  });
});
