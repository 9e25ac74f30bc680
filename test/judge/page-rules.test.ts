import { describe, expect, it } from "vitest";
import type { GateName } from "../../src/core/judge/gates.ts";
import { judgeProbes, judgeTraffic, foldEvidence, startEvidence } from "../../src/core/judge/engine.ts";
import { gateLabel } from "../../src/core/judge/setting.ts";
import { planRollout, readRollout } from "../known-drivers.ts";
import { isProblems } from "../../src/spec/read-rollout.ts";
import { aBlock, aVerdict, after } from "../builders.ts";
import { Story } from "../story.ts";
import { atShare } from "../verdict-of.ts";
import { type MeasuredArm, measuredReport } from "./measured.ts";

const BEFORE_USERS = { ...atShare(0), kind: "probes" as const };

/** The plan of a document that takes one preset and says nothing else. */
function planOf(preset: string, more = "") {
  const text = `apiVersion: sluice/v1
kind: Rollout
metadata: { name: support-rag-7 }
spec:
  service: support-rag
  stable: { url: http://127.0.0.1:4001/answer }
  candidate: { url: http://127.0.0.1:4002/answer }
${more}  route: { driver: gateway, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  probes: { set: gold.yaml }
  gates:
    - { use: ${preset} }
`;
  const read = readRollout(text);
  if (isProblems(read)) throw new Error(JSON.stringify(read));
  const digests = { documentDigest: "sha256:d", goldDigest: "sha256:g" };
  const paths = { set: null, map: null, corpus: null };
  return planRollout(read.document, read.source, { file: "a.yaml", generation: 1, seed: 7, paths, ...digests });
}

/** What one gate of a preset says of two arms that were measured. */
function said(preset: string, gate: GateName, stable: MeasuredArm, candidate: MeasuredArm) {
  const settings = planOf(preset).gates.filter((setting) => setting.gate === gate);
  const verdicts = judgeProbes(measuredReport(stable, candidate), BEFORE_USERS, settings);
  return verdicts.map((verdict) => `${gateLabel(verdict)} ${verdict.kind}`).join(", ");
}

describe("coverage before a flip", () => {
  it("GQ-7: bg-ops asks for 0.70 on the gold set and for what stable covers: neither alone is enough", () => {
    const at = (stable: number, candidate: number) =>
      said("bg-ops", "coverage", { coverage: stable }, { coverage: candidate });
    expect(at(0.95, 0.95)).toBe("coverage pass");
    expect(at(0.95, 0.91)).toBe("coverage pass");
    expect(at(0.75, 0.71)).toBe("coverage pass");
    expect(at(0.95, 0.71)).toBe("coverage inconclusive");
    expect(at(0.95, 0.89)).toBe("coverage inconclusive");
    expect(at(0.69, 0.69)).toBe("coverage inconclusive");
    expect(at(0.95, 0.59)).toBe("coverage fail");
  });
});

describe("λ before a flip and at a step", () => {
  const at = (preset: string, stable: MeasuredArm, candidate: MeasuredArm) => said(preset, "lambda", stable, candidate);

  it("GQ-11: bg-ops asks for convergence, for no less of it than on stable, and for no more flips", () => {
    expect(at("bg-ops", {}, {})).toBe("lambda pass");
    expect(at("bg-ops", { convergent: 0.9 }, { convergent: 0.86 })).toBe("lambda pass");
    expect(at("bg-ops", { convergent: 0.9 }, { convergent: 0.1 })).toBe("lambda inconclusive");
    expect(at("bg-ops", { convergent: 0.96 }, { convergent: 0.88 })).toBe("lambda inconclusive");
    expect(at("bg-ops", { convergent: 0.1 }, { convergent: 0.1 })).toBe("lambda inconclusive");
    expect(at("bg-ops", { flipping: 1 }, { flipping: 1 })).toBe("lambda pass");
    expect(at("bg-ops", { flipping: 1 }, { flipping: 2 })).toBe("lambda inconclusive");
  });

  it("GQ-12: shaping-strict asks for convergence that has not changed", () => {
    expect(at("shaping-strict", {}, {})).toBe("lambda pass");
    expect(at("shaping-strict", { convergent: 0.9 }, { convergent: 0.1 })).toBe("lambda inconclusive");
    expect(at("shaping-strict", { convergent: 0.1 }, { convergent: 0.1 })).toBe("lambda inconclusive");
    expect(at("shaping-strict", {}, { flipping: 1 })).toBe("lambda inconclusive");
  });

  it("failover-drill asks the same of what comes home", () => {
    expect(at("failover-drill", {}, {})).toBe("lambda pass");
    expect(at("failover-drill", { convergent: 0.9 }, { convergent: 0.1 })).toBe("lambda inconclusive");
    expect(at("failover-drill", { convergent: 0.1 }, { convergent: 0.1 })).toBe("lambda inconclusive");
  });
});

describe("shaping-strict", () => {
  it("RB-8: goes back to the prior revision at once when one gate has failed, at whatever step", () => {
    const plan = planOf("shaping-strict");
    const passes = plan.gates.map(({ gate }) => aVerdict(gate, "pass"));
    const steps = plan.stages.flatMap((stage, index) => (stage.kind === "traffic" ? [index] : []));
    expect(steps).toHaveLength(4);
    for (const failing of steps) {
      const story = new Story(plan);
      for (let second = 1; story.state.stageIndex < failing || story.state.awaiting.length > 0; second++) {
        story.done(after(second * 3_600_000), passes);
        if (story.state.stageIndex < failing) story.judged(after(second * 3_600_000 + 1_800_000), ...passes);
      }
      const share = story.state.candidateBp / 100;
      const served = { requests: 1_000, failures: 0 };
      const block = aBlock(share, served, { requests: 1_000, failures: 20, classes: { "headers|5xx|503": 20 } });
      const settings = plan.gates.filter(({ gate }) => gate === "five-xx-delta");
      const verdicts = judgeTraffic(foldEvidence(startEvidence(settings), block, settings), atShare(share), settings);
      story.judged(after(10 ** 9), ...verdicts);
      expect(story.state, `at ${share} %`).toMatchObject({ phase: "rolling-back", candidateBp: 0, frozen: false });
      expect(story.orders).toMatchObject([{ port: "traffic", args: { candidateBp: 0, closed: ["candidate"] } }]);
      expect(story.done(after(10 ** 9 + 1)).state.phase).toBe("rolled-back");
    }
  });
});

/** What users see, what answers say, and what is retrieved: which kinds of change need which, written out once more. */
const USERS = ["error-rate", "new-error-class", "p95-warm"];
const ANSWERS = [...USERS, "schema-violation", "coverage", "lambda"];
const RETRIEVED = [...USERS, "parity", "coverage", "delta-s", "lambda"];
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  code: USERS,
  config: [...USERS, "parity"],
  secrets: USERS,
  prompt: ANSWERS,
  "prompt-schema": ANSWERS,
  model: [...ANSWERS, "delta-s"],
  provider: [...ANSWERS, "cold-share"],
  index: RETRIEVED,
  retriever: RETRIEVED,
  reranker: RETRIEVED,
  analyzer: RETRIEVED,
  store: RETRIEVED,
  "tool-contract": [...USERS, "schema-violation", "tool-loop"],
  region: [...USERS, "parity", "cold-share"],
  "cache-strategy": [...USERS, "cache-hit-drop", "cache-collision"],
};

describe("kinds of change", () => {
  it.each(Object.entries(NEEDED))(
    "GQ-37: a change of %s selects its gates, whatever the preset has",
    (type, needed) => {
      for (const preset of ["shaping-strict", "bg-ops", "failover-drill"]) {
        const own = planOf(preset).gates.map(({ gate }) => gate);
        const added = planOf(preset, `  changeTypes: [${type}]\n`).gates.filter(
          ({ source }) => source === "spec.changeTypes",
        );
        const missing = needed.filter((gate) => !own.includes(gate));
        expect(added.map(({ gate }) => gate).toSorted(), preset).toEqual(missing.toSorted());
        expect(missing.length, preset).toBeGreaterThan(0);
      }
    },
  );
});
