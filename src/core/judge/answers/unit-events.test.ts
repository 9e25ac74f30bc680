import { describe, expect, it } from "vitest";
import { aBlock, aGate } from "../../../../test/builders.ts";
import { judgeTold, type Tells } from "../../../../test/judge/told-traffic.ts";
import { bp } from "../../unit.ts";
import type { StageView } from "../block.ts";
import { foldEvidence, isHarmProven, judgeTraffic, startEvidence } from "../engine.ts";

const refusals = [aGate("refusals", { onNoData: "skip" })];
const stage: StageView = { kind: "traffic", candidateBp: bp(1_000), heldMs: 0, holdMs: 0 };

/** Independent refusals at these rates. */
const at =
  (stable: number, candidate: number): Tells =>
  (arm, _trait, random) => ({ refusalRate: random() < (arm === "stable" ? stable : candidate) ? 1 : 0 });
/** Both arms refuse what 2 % of the users ask, half of the time. */
const fewUsers: Tells = (_arm, trait, random) => ({ refusalRate: trait < 0.02 && random() < 0.5 ? 1 : 0 });

describe("an event of answers", () => {
  it("passes once an excess over stable is excluded, in the words of its signal", () => {
    const { verdicts } = judgeTold(refusals, { tells: at(0.02, 0.02), seconds: 300 });
    expect(verdicts).toMatchObject([{ gate: "refusals", kind: "pass", threshold: 0.02 }]);
    expect(verdicts[0]?.reason).toMatch(
      /^refusals in [\d.]+ % of \d+ answers against .* on stable \(met by \d+ and \d+ users\)/,
    );
  });

  it("holds and asks when users refuse more than chance allows, and never stops by itself", () => {
    const { verdicts, isStopped } = judgeTold(refusals, { tells: at(0.02, 0.1), seconds: 300 });
    expect(verdicts).toMatchObject([{ kind: "inconclusive" }]);
    expect(verdicts[0]?.reason).toContain("more than chance allows, so the share is held");
    expect(verdicts[0]?.needs).toContain("a person");
    expect(isStopped).toBe(false);
  });

  it("stops where the document says so, with the same evidence", () => {
    const hard = [aGate("refusals", { onHarm: "stop" })];
    const { verdicts, isStopped } = judgeTold(hard, { tells: at(0.02, 0.1), seconds: 300 });
    expect([verdicts[0]?.kind, isStopped]).toEqual(["fail", true]);
  });

  it("calls none of 20 alike candidates worse, when refusals follow a few users or nobody", () => {
    for (const tells of [fewUsers, at(0.05, 0.05)])
      for (let seed = 1; seed <= 10; seed++)
        expect(judgeTold(refusals, { tells, seconds: 90, seed }).isHarmSaid, `seed ${seed}`).toBe(false);
  });

  it("finds 15 % refusals beside 3 % within 90 s at 10 %, for each of 5 crowds", () => {
    for (let seed = 1; seed <= 5; seed++)
      expect(judgeTold(refusals, { tells: at(0.03, 0.15), seconds: 90, seed }).isHarmSaid, `seed ${seed}`).toBe(true);
  });

  it("says what one arm tells and the other does not, and holds: that is no pass", () => {
    const alone =
      (only: "stable" | "candidate"): Tells =>
      (arm) =>
        arm === only ? { refusalRate: 0 } : null;
    const of = (only: "stable" | "candidate") => judgeTold(refusals, { tells: alone(only), seconds: 30 }).verdicts[0];
    expect(of("stable")).toMatchObject({
      kind: "inconclusive",
      reason: expect.stringContaining("not of those of the candidate"),
    });
    expect(of("candidate")).toMatchObject({
      kind: "inconclusive",
      reason: expect.stringContaining("not of those of stable"),
    });
  });

  it("takes no part while neither arm tells, and holds for it where the document says hold", () => {
    const world = { tells: () => null, seconds: 10 };
    expect(judgeTold(refusals, world).verdicts).toEqual([]);
    expect(judgeTold([aGate("refusals", { onNoData: "hold" })], world).verdicts).toMatchObject([
      { kind: "no-data", reason: "nothing tells refusals of either arm" },
    ]);
  });

  it("compares all answers where nobody tells users apart", () => {
    const { verdicts } = judgeTold(refusals, { tells: at(0.02, 0.1), seconds: 300, hasUnits: false });
    expect(verdicts[0]?.reason).toContain("more than chance allows");
    expect(verdicts[0]?.reason).not.toContain("users");
  });
});

describe("feedback", () => {
  const gates = [aGate("thumbs-down", { onHarm: "stop" })];
  /** A user turns one answer in so many down, and says nothing of the others. */
  const rated =
    (stable: number, candidate: number): Tells =>
    (arm, _trait, random) =>
      random() < (arm === "stable" ? stable : candidate) ? { thumbsDownRate: 1 } : {};

  it("is a part of all requests: a service that only says `true` tells enough", () => {
    expect(judgeTold(gates, { tells: rated(0.02, 0.02), seconds: 300 }).verdicts).toMatchObject([{ kind: "pass" }]);
    const { verdicts } = judgeTold(gates, { tells: rated(0.01, 0.1), seconds: 300 });
    expect(verdicts).toMatchObject([{ kind: "fail", samples: { candidate: expect.any(Number) } }]);
    expect(verdicts[0]?.reason).toMatch(/thumbs-down in (9|10|11)\.\d+ % of \d+ requests/);
  });

  it("of one arm alone is not compared", () => {
    expect(judgeTold(gates, { tells: rated(0.05, 0), seconds: 60 }).verdicts[0]?.kind).toBe("inconclusive");
  });
});

describe("what windows claim", () => {
  it("is never more events than answers", () => {
    const gauges = { refusalRate: { sum: 7.4, readings: 3 } };
    const block = aBlock(10, { requests: 9, gauges }, { requests: 9, gauges });
    const evidence = foldEvidence(startEvidence(refusals), block, refusals);
    expect(judgeTraffic(evidence, stage, refusals)).toMatchObject([{ estimate: 0, samples: { candidate: 3 } }]);
    expect(isHarmProven(evidence, stage, refusals)).toBe(false);
  });
});
