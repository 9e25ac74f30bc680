import { describe, expect, it } from "vitest";
import { aPlan, aPreset, gatesOf } from "../../../test/builders.ts";
import { planPace } from "../../spec/pace-document.ts";
import { isTrafficGate } from "../judge/gates.ts";
import { stagesOfPace } from "../stage/pace.ts";
import { randomStream } from "../stats/random.ts";
import { rehearse } from "./rehearse.ts";
import { SCENARIOS, USUAL_BASELINE } from "./scenario.ts";

const gates = gatesOf(aPreset("default")).filter(({ gate }) => isTrafficGate(gate));
const { pace, ladder } = planPace({ soak: 30_000, watch: 30_000 });
const plan = aPlan({ gates, pace, stages: stagesOfPace(ladder, false) });

function run(name: string, seed: number, onFail: "stable" | "previous-stage" = "stable", requestsPerSecond = 10) {
  const arms = SCENARIOS.find((one) => one.name === name)?.arms(USUAL_BASELINE);
  if (arms === undefined) throw new Error(`no scenario ${name}`);
  return rehearse({ ...plan, onFail: { to: onFail } }, { requestsPerSecond, arms }, randomStream(seed), 7_200);
}

const sharesOf = (stoodAt: readonly number[] = []) =>
  stoodAt.map((index) => {
    const stage = plan.stages[index];
    return stage?.kind === "traffic" ? stage.candidateBp / 100 : 100;
  });

describe("a paced rollout", () => {
  it("brings a healthy candidate at 10 requests/s to 100 % within 35 minutes, by three shares", () => {
    const { rollout, reached100AtS } = run("healthy", 1);
    const shares = sharesOf(rollout.stoodAt);
    expect([rollout.phase, shares, rollout.unprovenStages]).toEqual(["promoted", [0.1, 10, 50, 100], []]);
    expect(reached100AtS).toBeLessThan(35 * 60);
  });

  it("stops a dead candidate and one with 5 % errors before half of the users are on it", () => {
    for (const seed of [1, 2]) {
      expect(run("dead", seed)).toMatchObject({ rollout: { phase: "rolled-back", candidateBp: 0 } });
      const { rollout } = run("errors-5", seed);
      expect([rollout.phase, sharesOf(rollout.stoodAt)]).toEqual(["rolled-back", [0.1, 10]]);
    }
  });

  it("is not held at a small share of 1 000 requests/s by latency that tighter margins have excluded", () => {
    const { rollout, reached100AtS } = run("healthy", 1, "stable", 1_000);
    expect([rollout.phase, sharesOf(rollout.stoodAt).at(-1)]).toEqual(["promoted", 100]);
    expect(reached100AtS).toBeLessThan(30 * 60);
  });

  it("goes back to a share it stood at, not to one that it left out", () => {
    const { rollout } = run("errors-5", 2, "previous-stage");
    expect(rollout.frozen || rollout.evidenceGeneration > 0).toBe(true);
    const shares = sharesOf(rollout.stoodAt);
    expect(shares.filter((share) => share === 0.1 || share === 10)).toEqual(shares);
  });

  it("is the same again from the same stream", () => {
    expect(run("errors-50", 5)).toEqual(run("errors-50", 5));
  });
});
