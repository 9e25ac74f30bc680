import { describe, expect, it } from "vitest";
import { aBlock, aGate, aPlan, aRollout, aVerdict, after, probes, T0, traffic, watch } from "../../../test/builders.ts";
import { foldEvidence, startEvidence } from "../judge/engine.ts";
import { bp } from "../unit.ts";
import type { ArmWindow } from "../window/window.ts";
import { nextShare } from "./next-share.ts";
import type { Rollout } from "./rollout.ts";
import { judgeWhenDue, look, turn } from "./wheel.ts";

const options = {
  alpha: 0.001,
  beta: 0.05,
  margin: { under10: 0.05, under50: 0.05, from50: 0.05 },
  minSamples: 100,
};
const gates = [aGate("error-rate", options)];
const stages = [probes(), traffic(5), traffic(10), probes(), traffic(50), watch()];
const plan = aPlan({ gates, stages, onFail: { to: "previous-stage" } });
const harmed = [1, 2, 3].reduce(
  (evidence, endS) =>
    foldEvidence(evidence, aBlock(50, { requests: 100 }, { requests: 100, failures: 90 }, endS), gates),
  startEvidence(gates),
);
const seen = { evidence: harmed, generation: 0, judgedAfterEpoch: 0 };
const serving = (over: Partial<Rollout> = {}) =>
  aRollout(
    { phase: "progressing", stageIndex: 4, candidateBp: bp(5_000), startedAt: T0, holdingSince: T0, ...over },
    plan,
  );
const never = () => false;

describe("the wheel", () => {
  it("lets harm speak at once, whatever the cadence, and everything else only when it is due", () => {
    expect(look(serving(), seen, after(1_000), never)?.verdicts).toMatchObject([{ kind: "fail" }]);
    const quiet = { ...seen, evidence: startEvidence(gates) };
    expect(look(serving(), quiet, after(1_000), never)).toBeNull();
    expect(look(serving(), quiet, after(1_000), () => true)?.verdicts).toMatchObject([{ kind: "no-data" }]);
  });

  it("RB-3: stops before the next look for the first tool loop or over 1 % of 5xx, and for nothing less", () => {
    const limits = { mode: "literal", promote: 0.005, stop: 0.01, alpha: 0.001, beta: 0.05, minSamples: 600 };
    const hard = [
      aGate("five-xx-abs", { ...limits, onNoData: "hold" }),
      aGate("tool-loop", { max: 0, onNoData: "hold" }),
    ];
    const after5xx = (failures: number, counters: ArmWindow["counters"], stable: ArmWindow["counters"] = {}) => {
      const classes = failures === 0 ? {} : { "headers|5xx|503": failures };
      const own = aBlock(50, { counters: stable }, { requests: 1_000, failures, classes, counters });
      const evidence = foldEvidence(startEvidence(hard), own, hard);
      const view = { kind: "traffic", candidateBp: bp(5_000), heldMs: 0, holdMs: 1 } as const;
      const verdicts = judgeWhenDue(evidence, view, hard, never);
      return verdicts?.flatMap(({ gate, kind, estimate, reason }) =>
        kind === "fail" ? [`${gate} ${estimate}: ${reason}`] : [],
      );
    };
    expect(after5xx(10, {})).toBeUndefined(); // Nobody watches tools, and 1 % is not over it.
    expect(after5xx(10, { toolLoops: 0 })).toBeUndefined();
    const ofTools = (stable: string) => [`tool-loop 1: 1 tool loops on the candidate, ${stable} on stable (at most 0)`];
    expect(after5xx(0, { toolLoops: 1 })).toEqual(ofTools("unwatched"));
    expect(after5xx(0, { toolLoops: 1 }, { toolLoops: 2 })).toEqual(ofTools("2"));
    expect(after5xx(11, { toolLoops: 0 })).toEqual([expect.stringContaining("five-xx-abs 0.011: ")]);
  });

  it("takes a fail that was read beside the traffic for harm, and names it in the order of causes", () => {
    const view = { kind: "traffic", candidateBp: bp(5_000), heldMs: 0, holdMs: 1 } as const;
    const beside = (kind: "pass" | "fail") => [aVerdict("parity", kind)];
    const quiet = startEvidence(gates);
    expect(judgeWhenDue(quiet, view, gates, never, beside("pass"))).toBeNull();
    const verdicts = judgeWhenDue(quiet, view, gates, never, beside("fail"));
    expect(verdicts?.map(({ gate }) => gate)).toEqual(["parity", "error-rate"]);
  });

  it("knows of answers at 100 % by windows of that share alone", () => {
    const watching = serving({ stageIndex: 5, candidateBp: bp(10_000) });
    const at = (percent: number, requests: number) =>
      foldEvidence(startEvidence(gates), aBlock(percent, {}, { requests }), gates);
    const heard = (evidence: typeof seen.evidence) =>
      look(watching, { ...seen, evidence }, after(1_000), () => true)?.hasAnsweredAlone ?? false;
    expect([heard(at(50, 9)), heard(at(100, 0)), heard(at(100, 1))]).toEqual([false, false, true]);
  });

  it("judges nothing before the first share", () => {
    expect(look(serving({ phase: "pending" }), seen, after(0), () => true)).toBeNull();
    expect(look(serving({ phase: "checking" }), seen, after(0), () => true)).toBeNull();
  });

  it("begins a second try with fresh evidence after the document in force, and keeps everything besides", () => {
    const judged = look(serving(), seen, after(1_000), never);
    expect(judged).not.toBeNull();
    const all = { ...seen, lives: "as long as the generation" };
    const next = turn(serving(), all, judged ?? { kind: "tick", at: T0 }, 7);
    expect(next.rollout).toMatchObject({ phase: "retreating", stageIndex: 2, candidateBp: 1_000 });
    expect(next.seen).toEqual({
      evidence: startEvidence(gates),
      generation: 1,
      judgedAfterEpoch: 7,
      lives: "as long as the generation",
    });
  });

  it("throws on a broken invariant, for whoever turns it", () => {
    const broken = serving({ startedAt: null });
    expect(() => turn(broken, seen, { kind: "tick", at: T0 }, 0)).toThrow(/a running rollout has a start/);
  });
});

describe("nextShare", () => {
  it("goes on by one, back to the share before and never to probes, full to the last, and says where there is none", () => {
    expect(nextShare({ plan, stageIndex: 0 }, "first")).toEqual({ stageIndex: 0, candidateBp: null });
    expect(nextShare({ plan, stageIndex: 0 }, "on")).toEqual({ stageIndex: 1, candidateBp: 500 });
    expect(nextShare({ plan, stageIndex: 4 }, "on")).toEqual({ stageIndex: 5, candidateBp: 10_000 });
    expect(nextShare({ plan, stageIndex: 5 }, "on")).toBeNull();
    expect(nextShare({ plan, stageIndex: 4 }, "back")).toEqual({ stageIndex: 2, candidateBp: 1_000 });
    expect(nextShare({ plan, stageIndex: 1 }, "back")).toBeNull();
    expect(nextShare({ plan, stageIndex: 1 }, "full")).toEqual({ stageIndex: 5, candidateBp: 10_000 });
  });
});
