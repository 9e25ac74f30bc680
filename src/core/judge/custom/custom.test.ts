import { describe, expect, it } from "vitest";
import { aBlock, after } from "../../../../test/builders.ts";
import { bp } from "../../unit.ts";
import { binOf } from "../../window/sketch.ts";
import type { Block, StageView } from "../block.ts";
import { checkRule } from "./expression.ts";
import { foldEvidence, foldReading, isHarmProven, judgeTraffic, startEvidence } from "../engine.ts";

const at = (percent: number, heldMs = 0): StageView => ({
  kind: "traffic",
  candidateBp: bp(percent * 100),
  heldMs,
  holdMs: 0,
});
const BOTH = 'metrics["queue-age"].candidate <= metrics["queue-age"].stable';
const PASS = "candidate.error_rate <= stable.error_rate * 1.2 + 0.001";

function judge(pass: string, fail: string | null, blocks: readonly Block[], stage = at(10), queue?: number) {
  const settings = [{ gate: "custom", instance: "rule", options: { pass, fail, minSamples: 100 }, source: "test" }];
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
      gate: "custom",
      instance: "rule",
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
    expect(checkRule(rule, "pass").join()).toContain(message);
  });

  it("refuse a stop rule that asks for the stage, because a fuse knows none", () => {
    expect(checkRule("stage.held_s > 5.0", "pass")).toEqual([]);
    expect(checkRule("stage.held_s > 5.0", "fail")).toHaveLength(1);
  });

  it("know the shares, quantiles and counts of an arm, and the share in force", () => {
    const arm = {
      requests: 200,
      failures: 50,
      classes: { "headers|5xx|503": 20, "body|network|ECONNRESET": 30 },
      warm: [binOf(100), 60, binOf(400), 40],
      cold: [binOf(900), 25],
    };
    const near = (name: string, value: number) =>
      `candidate.${name} > ${value * 0.99 - 1e-9} && candidate.${name} < ${value * 1.01 + 1e-9}`;
    const all = [
      near("requests", 200),
      near("failures", 50),
      near("error_rate", 0.25),
      near("five_xx_rate", 0.1),
      near("p50_ms", 100),
      near("p95_ms", 400),
      near("cold_share", 0.2),
      "stage.share_percent == 12.5",
    ];
    for (const rule of all)
      expect([rule, judge(rule, null, [aBlock(12.5, {}, arm)], at(12.5))?.kind]).toEqual([rule, "pass"]);
  });

  it.each(["error_rate", "five_xx_rate", "p50_ms", "p95_ms", "cold_share"])(
    "have no %s of an arm that answered nothing",
    (name) => {
      expect(judge(`stable.${name} < 1e9`, null, [aBlock(10, {}, { requests: 100 })])?.kind).toBe("no-data");
    },
  );

  it("have no counts of an arm that served nobody, so that 2 loops beside none of nobody stop nothing", () => {
    const loops = (requests: number, toolLoops: number) => ({ requests, counters: { toolLoops } });
    const stop = "candidate.tool_loops > stable.tool_loops";
    const said = (stable: number) => judge("true", stop, [aBlock(10, loops(stable, 0), loops(100, 2))])?.kind;
    expect([said(0), said(100)]).toEqual(["no-data", "fail"]);
  });

  it("ask from the least requests on, and tell none from too few", () => {
    const served = (requests: number) => aBlock(10, { requests: 9 }, { requests, failures: requests });
    const stop = "candidate.error_rate > 0.5";
    expect(judge("true", stop, [served(0)])).toMatchObject({ kind: "no-data", needs: "100 more candidate requests" });
    expect(judge("true", stop, [served(99)])).toMatchObject({
      kind: "inconclusive",
      needs: "1 more candidate requests",
    });
    expect(judge("true", stop, [served(100)])?.kind).toBe("fail");
  });

  it("take no late window of the share before, and at 100 % go on beside what stable last showed", () => {
    const late = [block(10, 10, 25), block(10, 900, 10)];
    expect(judge("candidate.failures == 10.0", null, late, at(25))?.kind).toBe("pass");
    const alone = aBlock(100, {}, { requests: 1_000, failures: 90 });
    const rule = "stable.failures == 10.0 && candidate.failures == 100.0";
    expect(judge(rule, null, [block(10, 10, 50), alone], at(100))?.kind).toBe("pass");
    const stillBoth = "stable.failures == 20.0 && candidate.failures == 10.0";
    expect(judge(stillBoth, null, [block(10, 10, 50), block(20, 10, 100)], at(100))?.kind).toBe("pass");
  });

  it("compare a metric of both arms, and are no data where one arm's was not read", () => {
    const settings = [
      { gate: "custom", instance: "rule", options: { pass: BOTH, fail: null, minSamples: 0 }, source: "test" },
    ];
    const read = (stable: number | null) => {
      const reading = {
        metric: "queue-age",
        atMs: after(0),
        candidate: { kind: "value", value: 5 },
        stable: stable === null ? null : ({ kind: "value", value: stable } as const),
      } as const;
      return judgeTraffic(foldReading(startEvidence(settings), reading, settings), at(10), settings)[0]?.kind;
    };
    expect([read(5), read(4), read(null)]).toEqual(["pass", "inconclusive", "no-data"]);
  });
});
