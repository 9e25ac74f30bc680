import { describe, expect, it } from "vitest";
import { aPlan, aPreset, aVerdict, gatesOf, LADDER } from "../../../test/builders.ts";
import { isTrafficGate } from "../judge/gates.ts";
import { randomStream } from "../stats/random.ts";
import { rehearse } from "./rehearse.ts";
import { type ArmModel, steadyArm, type World } from "./world.ts";

const LATENCY = { medianMs: 60, sigma: 0.4 };
const healthy = steadyArm({ "headers|5xx|503": 0.005 }, LATENCY);

/** The traffic part of a preset: no probes, which a world of requests cannot answer. */
function planOf(name: string) {
  const preset = aPreset(name);
  const gates = gatesOf(preset).filter(({ gate }) => isTrafficGate(gate));
  const stages = preset.pace === undefined ? preset.stages : LADDER;
  return aPlan({ gates, stages: stages.filter((stage) => stage.kind !== "probes") });
}

const world = (candidate: ArmModel, requestsPerSecond = 200): World => ({
  requestsPerSecond,
  arms: { stable: healthy, candidate },
});

const clean = steadyArm({}, LATENCY);
const cleanWorld = (candidate: ArmModel): World => ({ requestsPerSecond: 200, arms: { stable: clean, candidate } });

describe("rehearse, preset demo at 200 requests a second", () => {
  const plan = planOf("demo");

  it("promotes a healthy candidate in 5 of 5 seeds, within 60 virtual seconds", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { rollout, endedAtS } = rehearse(plan, cleanWorld(clean), randomStream(seed), 90);
      expect([seed, rollout.phase]).toEqual([seed, "promoted"]);
      expect(endedAtS).toBeLessThan(60);
    }
  });

  it.each([
    ["errors", ["error-rate", "new-error-class"], steadyArm({ "headers|5xx|503": 0.05 }, LATENCY)],
    ["slow", ["p95-warm"], steadyArm({}, { ...LATENCY, medianMs: 96 })],
    ["new-error-class", ["error-rate", "new-error-class"], steadyArm({ "body|network|cut": 0.01 }, LATENCY)],
  ] as const)("stops %s by one of %j in 20 of 20 seeds, before 100 %%", (_, gates, candidate) => {
    for (let seed = 1; seed <= 20; seed++) {
      const { rollout } = rehearse(plan, cleanWorld(candidate), randomStream(seed), 90);
      expect([seed, rollout.phase]).toEqual([seed, "rolled-back"]);
      expect(gates).toContain(rollout.cause?.gate);
      expect(rollout.stageIndex).toBeLessThan(2);
    }
  });

  it("moves no traffic when identity fails", () => {
    const checked = { ...plan, gates: [...plan.gates, { gate: "parity", options: {}, source: "test" }] };
    const answers = { parity: [aVerdict("parity", "fail")], probes: () => [] };
    const { rollout, candidateRequests } = rehearse(checked, cleanWorld(clean), randomStream(1), 90, answers);
    expect([rollout.phase, candidateRequests]).toEqual(["rolled-back", 0]);
  });

  it("is the same rehearsal for the same seed", () => {
    expect(rehearse(plan, world(healthy), randomStream(9), 90)).toEqual(
      rehearse(plan, world(healthy), randomStream(9), 90),
    );
  });
});

describe("rehearse, preset default", () => {
  const plan = planOf("default");

  it("neither promotes nor rolls back without traffic (D-7)", () => {
    const silent = rehearse(plan, world(healthy, 1e-9), randomStream(1), 12 * 3_600);
    expect(silent.rollout.phase).toBe("waiting");
  });

  it("promotes a healthy candidate and takes a dead one back with few requests lost", () => {
    expect(rehearse(plan, world(healthy, 50), randomStream(3), 30 * 3_600).rollout.phase).toBe("promoted");
    const dead = rehearse(
      plan,
      world(steadyArm({ "connect|network|ECONNREFUSED": 1 }, LATENCY), 50),
      randomStream(3),
      30 * 3_600,
    );
    expect(dead.rollout.phase).toBe("rolled-back");
    expect(dead.failedCandidateRequests).toBeLessThan(25);
  });
});
