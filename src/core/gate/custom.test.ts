import { describe, expect, it } from "vitest";
import { aBlock, after } from "../../../test/builders.ts";
import { bp } from "../unit.ts";
import type { Block, StageView } from "./gate.ts";
import { checkRule } from "./expression.ts";
import { foldEvidence, foldReading, isHarmProven, judgeTraffic, startEvidence } from "./gate-set.ts";

const at = (percent: number, heldMs = 0): StageView => ({
  kind: "traffic",
  candidateBp: bp(percent * 100),
  heldMs,
  holdMs: 0,
});
const PASS = "candidate.error_rate <= stable.error_rate * 1.2 + 0.001";

function judge(pass: string, fail: string | null, blocks: readonly Block[], stage = at(10), queue?: number) {
  const settings = [{ gate: "custom[rule]", options: { pass, fail, minSamples: 100 }, source: "test" }];
  let evidence = blocks.reduce((all, block) => foldEvidence(all, block, settings), startEvidence(settings));
  if (queue !== undefined) {
    const candidate = { kind: "value", value: queue } as const;
    evidence = foldReading(evidence, { metric: "queue-age", atMs: after(0), candidate, stable: null }, settings);
  }
  const [verdict] = judgeTraffic(evidence, stage, settings);
  expect(isHarmProven(evidence, stage, settings)).toBe(verdict?.kind === "fail");
  return verdict;
}

const block = (stable: number, candidate: number, percent = 10) =>
  aBlock(percent, { requests: 1_000, failures: stable }, { requests: 1_000, failures: candidate });

describe("custom gates", () => {
  it("pass, hold and stop by the rules of the document", () => {
    expect(judge(PASS, null, [block(10, 12)])?.kind).toBe("pass");
    expect(judge(PASS, null, [block(10, 40)])?.kind).toBe("inconclusive");
    expect(judge(PASS, "candidate.error_rate > 0.03", [block(10, 40)])).toMatchObject({
      gate: "custom[rule]",
      kind: "fail",
      reason: "the stop rule is true: candidate.error_rate > 0.03",
    });
  });

  it("wait for the least requests of the stage, and start anew at the next share", () => {
    const few = aBlock(10, { requests: 99 }, { requests: 99, failures: 99 });
    expect(judge(PASS, "candidate.error_rate > 0.03", [few])?.kind).toBe("inconclusive");
    expect(judge(PASS, null, [block(0, 500), block(10, 10, 25)], at(25))?.kind).toBe("pass");
  });

  it("are no data where the rule asks for what nobody measured, never a pass", () => {
    expect(judge("candidate.queue_age_p95_ms < 100.0", null, [block(0, 0)])?.kind).toBe("no-data");
    expect(judge('metrics["queue-age"].candidate < 5.0', null, [block(0, 0)])?.kind).toBe("no-data");
    expect(judge('metrics["queue-age"].candidate < 5.0', null, [block(0, 0)], at(10), 4)?.kind).toBe("pass");
    expect(judge('metrics["queue-age"].candidate < 5.0', null, [block(0, 0)], at(10), Number.NaN)?.kind).toBe(
      "no-data",
    );
  });

  it("read counters, gauges and how long the stage was held", () => {
    const arm = { requests: 200, counters: { toolLoops: 2 }, gauges: { queueAgeP95Ms: { sum: 300, readings: 3 } } };
    const rule = "candidate.tool_loops == 2.0 && candidate.queue_age_p95_ms == 100.0 && stage.held_s >= 60.0";
    expect(judge(rule, null, [aBlock(10, {}, arm)], at(10, 60_000))?.kind).toBe("pass");
    expect(judge(rule, null, [aBlock(10, {}, arm)], at(10, 59_000))?.kind).toBe("inconclusive");
  });

  it.each([
    ["candidate.erorr_rate > 0.1", "No such key: erorr_rate at character 11"],
    ["candidate.error_rate > ", "Unexpected token: EOF"],
    ["candidate.error_rate", "is a double, expected a yes or no"],
    ["candidate.error_rate <= stable.error_rate * 2", "no such overload: double * int"],
    ["users.count > 1.0", "Unknown variable: users"],
  ])("refuse the rule %s before any traffic moves", (rule, message) => {
    expect(
      checkRule(rule, "pass")
        .map((problem) => problem.message)
        .join(),
    ).toContain(message);
  });

  it("refuse a stop rule that asks for the stage, because a fuse knows none", () => {
    expect(checkRule("stage.held_s > 5.0", "pass")).toEqual([]);
    expect(checkRule("stage.held_s > 5.0", "fail")).toHaveLength(1);
  });
});
