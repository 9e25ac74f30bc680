import { describe, expect, it } from "vitest";
import { aBlock, after } from "../../../test/builders.ts";
import { aProbeReport } from "../../../test/probe-report.ts";
import { bp } from "../unit.ts";
import type { StageView } from "./block.ts";
import {
  foldEvidence,
  foldReading,
  isHarmProven,
  judgeProbes,
  judgeTraffic,
  restartEvidence,
  startEvidence,
} from "./engine.ts";
import { GATE_NAMES, type GateName, gateNamed, isProbeGate, isTrafficGate } from "./gates.ts";
import type { GateSetting } from "./setting.ts";

const at = (percent: number): StageView => ({ kind: "traffic", candidateBp: bp(percent * 100), heldMs: 0, holdMs: 0 });
const aSetting = (gate: GateName, fromPercent?: number, toPercent?: number): GateSetting => ({
  gate,
  options: { metric: "queue-age", promote: 0, pass: "true", ...gateNamed(gate).defaults },
  source: "test",
  ...(fromPercent === undefined || toPercent === undefined
    ? {}
    : { within: { fromBp: bp(fromPercent * 100), toBp: bp(toPercent * 100) } }),
});
const dead = aBlock(10, { requests: 90 }, { requests: 50, failures: 50, classes: { "headers|5xx|503": 50 } });

describe("a set of gates", () => {
  it("has a gate for every name that a document may use, but identity, which is read elsewhere", () => {
    const settings = GATE_NAMES.map((gate) => aSetting(gate));
    const shadow: StageView = { ...at(10), kind: "shadow" };
    const heard = new Set([
      ...judgeTraffic(startEvidence(settings), at(10), settings).map(({ gate }) => gate),
      ...judgeTraffic(startEvidence(settings), shadow, settings).map(({ gate }) => gate),
      ...judgeProbes(aProbeReport(), at(10), settings).map(({ gate }) => gate),
    ]);
    const silent = GATE_NAMES.filter((gate) => !heard.has(gate) && (isTrafficGate(gate) || isProbeGate(gate)));
    expect(silent).toEqual(settings.filter(({ options }) => options["onNoData"] === "skip").map(({ gate }) => gate));
  });

  it("asks a gate only at the shares it is written for, both ends included, but always keeps its evidence", () => {
    const settings = [aSetting("error-rate", 10, 25)];
    const evidence = [dead, dead, dead].reduce(
      (all, block) => foldEvidence(all, block, settings),
      startEvidence(settings),
    );
    const asked = [9.99, 10, 25, 25.01].map((percent) => [
      judgeTraffic(evidence, at(percent), settings).map(({ kind }) => kind),
      isHarmProven(evidence, at(percent), settings),
    ]);
    expect(asked).toEqual([
      [[], false],
      [["fail"], true],
      [["fail"], true],
      [[], false],
    ]);
  });

  it("asks a probe gate only at its shares", () => {
    const settings = [aSetting("coverage", 5, 10), aSetting("error-rate")];
    expect(judgeProbes(aProbeReport(), at(1), settings).map(({ gate }) => gate)).toEqual(["error-rate"]);
    expect(judgeProbes(aProbeReport(), at(5), settings).map(({ gate }) => gate)).toEqual(["coverage", "error-rate"]);
  });

  it("counts blocks, and changes nothing on one in which nothing was served, counted or measured", () => {
    const settings = [aSetting("error-rate")];
    const start = startEvidence(settings);
    expect(foldEvidence(start, aBlock(10, {}, {}), settings)).toBe(start);
    expect(foldEvidence(foldEvidence(start, dead, settings), dead, settings).blocks).toBe(2);
    for (const arm of [
      { requests: 1 },
      { counters: { toolLoops: 0 } },
      { gauges: { queueAgeP95Ms: { sum: 1, readings: 1 } } },
    ]) {
      expect(foldEvidence(start, aBlock(10, arm, {}), settings).blocks).toBe(1);
      expect(foldEvidence(start, aBlock(10, {}, arm), settings).blocks).toBe(1);
    }
  });

  it("hands a reading to the gates that read, and leaves the others as they are", () => {
    const settings = [aSetting("error-rate"), aSetting("metric")];
    const start = startEvidence(settings);
    const reading = {
      metric: "queue-age",
      atMs: after(0),
      candidate: { kind: "value", value: 1 },
      stable: null,
    } as const;
    const next = foldReading(start, reading, settings);
    expect(next.states["error-rate"]).toBe(start.states["error-rate"]);
    expect(next.states["metric"]).not.toEqual(start.states["metric"]);
    expect(next.blocks).toBe(0);
  });

  it("gives the classes that stable is known for to the gate of new ones alone", () => {
    const settings = [aSetting("new-error-class"), aSetting("error-rate")];
    const start = startEvidence(settings, { known: ["headers|5xx|503"] });
    const evidence = [dead, dead].reduce((all, block) => foldEvidence(all, block, settings), start);
    const verdicts = judgeTraffic(evidence, at(10), settings).map(({ gate, kind }) => [gate, kind]);
    expect(verdicts).toEqual([
      ["new-error-class", "pass"],
      ["error-rate", "fail"],
    ]);
  });

  it("RB-7: begins a second try with nothing but the classes that stable has shown by then", () => {
    const settings = [aSetting("new-error-class"), aSetting("error-rate")];
    const shown = aBlock(10, { requests: 90, failures: 1, classes: { "body|network|ECONNRESET": 1 } }, {});
    const start = startEvidence(settings, { known: ["headers|5xx|503"] });
    const first = [shown, dead, dead].reduce((all, block) => foldEvidence(all, block, settings), start);
    const second = restartEvidence(first, settings);
    expect(second).toEqual(startEvidence(settings, { known: ["headers|5xx|503", "body|network|ECONNRESET"] }));
    const withoutClasses = [aSetting("error-rate")];
    expect(restartEvidence(startEvidence(withoutClasses), withoutClasses)).toEqual(startEvidence(withoutClasses));
  });

  it("passes over settings that name no gate of the kind", () => {
    const settings = [{ gate: "parity", options: {}, source: "test" }];
    expect(startEvidence(settings).states).toEqual({});
    expect(judgeTraffic(startEvidence(settings), at(10), settings)).toEqual([]);
    expect(judgeProbes(aProbeReport(), at(10), settings)).toEqual([]);
  });

  it("cannot go on with evidence of another set", () => {
    const evidence = startEvidence([aSetting("error-rate")]);
    expect(() => foldEvidence(evidence, dead, [aSetting("p95-warm")])).toThrow("evidence has a state for p95-warm");
  });
});
