import { describe, expect, it } from "vitest";
import { aPreset } from "../../../test/builders.ts";
import type { Stage } from "../../core/stage/plan.ts";
import { PRESETS, strictestPresetOf } from "./index.ts";

/** A threshold of a page: its IDs, the preset, where it stands, and the page's number. */
type Threshold = readonly [id: string, preset: string, path: string, value: unknown];

const THRESHOLDS: readonly Threshold[] = [
  ["page 000", "bg-serverless", "delta-s.limit", 0.45],
  ["page 000", "bg-serverless", "delta-s.stop", 0.6],
  ["page 000", "bg-serverless", "coverage.level", 0.7],
  ["page 000", "bg-serverless", "coverage.stop", 0.7],
  ["page 000", "bg-serverless", "schema-violation.maxShare", 0],
  ["page 000", "bg-serverless", "lambda.level", "strict"],
  ["page 000", "bg-serverless", "p95-warm.margin.from50", 1.25],
  ["page 000", "bg-serverless", "p95-warm.harmRatio", 1.25],
  ["page 000", "bg-serverless", "new-error-class.alpha", 0.001],
  ["page 000", "bg-serverless", "cache-hit-drop.promote", 0.05],
  ["page 001", "bg-ops", "delta-s.limit", 0.45],
  ["page 001", "bg-ops", "delta-s.p95DriftStop", 0.15],
  ["page 001", "bg-ops", "coverage.level", 0.7],
  ["page 001", "bg-ops", "coverage.stop", 0.6],
  ["page 001", "bg-ops", "lambda.level", "loose"],
  ["page 001", "bg-ops", "lambda.flipRateStop", 0.2],
  ["page 001", "bg-ops", "p95-warm.harmRatio", 1.15],
  ["page 001", "bg-ops", "error-rate-abs.promote", 0.005],
  ["page 001", "bg-ops", "five-xx-abs.stop", 0.01],
  ["page 001", "bg-ops", "tool-loop.max", 0],
  ["page 002", "canary-serverless", "delta-s.limit", 0.45],
  ["page 002", "canary-serverless", "delta-s.stop", 0.6],
  ["page 002", "canary-serverless", "schema-violation.maxShare", 0],
  ["page 002", "canary-serverless", "p95-warm.harmRatio", 1.25],
  ["page 002", "canary-serverless", "new-error-class.alpha", 0.001],
  ["page 002", "canary-serverless", "coverage.level", 0.7],
  ["page 002", "canary-serverless", "coverage.topicLevel", 0.7],
  ["page 002", "canary-serverless", "coverage.topicFloor", 0.7],
  ["page 002", "canary-serverless", "parity", {}],
  ["page 002", "canary-serverless", "cache-collision.max", 0],
  ["page 002", "canary-serverless", "lambda.maxFlipsPerQuestion", 1],
  ["page 002", "canary-serverless", "lambda.level", "strict"],
  ["page 002", "canary-serverless", "peak-hour.lengthMs", 3_600_000],
  ["page 002", "canary-serverless", "cache-hit-drop.promote", 0.05],
  ["page 002", "canary-serverless", "error-rate-rel.promote", 1.2],
  ["page 003", "shaping-strict", "delta-s.driftMargin.from50", 0.03],
  ["page 003", "shaping-strict", "lambda.level", "loose"],
  ["page 003", "shaping-strict", "p95-equal-load.harmRatio", 1.1],
  ["page 003", "shaping-strict", "five-xx-delta.stop", 0.0005],
  ["page 003", "shaping-strict", "cold-share.promote", 0.05],
  ["page 003", "shaping-strict", "queue-age-slope.promote", 0],
  ["page 003", "shaping-strict", "dedupe-miss.promote", 0.001],
  ["page 003", "shaping-strict", "duplicate-effect.max", 0],
  ["page 003", "shaping-strict", "sticky-violation.max", 0],
  ["page 004", "failover-drill", "delta-s.limit", 0.45],
  ["page 004", "failover-drill", "delta-s.stop", 0.6],
  ["page 004", "failover-drill", "coverage.level", 0.7],
  ["page 004", "failover-drill", "lambda.level", "loose"],
  ["page 004", "failover-drill", "p95-warm.harmRatio", 1.25],
  ["page 004", "failover-drill", "five-xx-burst.longestMs", 60_000],
  ["page 004", "failover-drill", "write-loss.max", 0],
  ["§2.1", "strictest", "delta-s.limit", 0.45],
  ["§2.1", "strictest", "delta-s.driftMargin.from50", 0.03],
  ["§2.1", "strictest", "delta-s.stop", 0.6],
  ["§2.1", "strictest", "delta-s.p95DriftStop", 0.15],
  ["§2.1", "strictest", "coverage.level", 0.7],
  ["§2.1", "strictest", "coverage.stop", 0.6],
  ["§2.1", "strictest", "coverage.topicLevel", 0.7],
  ["§2.1", "strictest", "lambda.maxFlipsPerQuestion", 1],
  ["§2.1", "strictest", "lambda.flipRateStop", 0.2],
  ["§2.1", "strictest", "p95-warm.margin.from50", 1.1],
  ["§2.1", "strictest", "p95-warm.harmRatio", 1.25],
  ["§2.1", "strictest", "error-rate-abs.promote", 0.005],
  ["§2.1", "strictest", "error-rate-abs.stop", 0.01],
  ["§2.1", "strictest", "error-rate-rel.promote", 1.2],
  ["§2.1", "strictest", "five-xx-delta.promote", 0.0005],
  ["§2.1", "strictest", "cold-share.promote", 0.05],
  ["§2.1", "strictest", "cache-hit-drop.promote", 0.05],
  ["§2.1", "strictest", "duplicate-effect.max", 0],
];

function at(preset: string, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], aPreset(preset).gates);
}

const ladder = (stages: readonly Stage[]) =>
  stages.map((stage) =>
    stage.kind === "traffic" ? stage.candidateBp / 100 : stage.kind === "watch" ? 100 : stage.kind,
  );

describe("presets", () => {
  it.each(THRESHOLDS)("%s: %s has %s", (_, preset, path, value) => {
    expect(at(preset, path)).toEqual(value);
  });

  it.each([
    ["page 000", "bg-serverless", ["probes", 1, "probes", 100]],
    ["page 001", "bg-ops", ["probes", 100]],
    ["page 002", "canary-serverless", ["probes", 1, 5, "probes", 10, 25, 50, "probes", 100]],
    ["page 003", "shaping-strict", ["probes", 1, 5, 25, 50, "probes", 100]],
    ["page 004", "failover-drill", ["probes", 10, 30, 60, 100]],
    ["§2.1", "strictest", ["probes", 1, 5, "probes", 10, 25, 50, "probes", 100]],
  ] as const)("%s: %s climbs %j", (_, preset, steps) => {
    expect(ladder(aPreset(preset).stages)).toEqual(steps);
  });

  it("bg-ops watches 30 minutes, the peak-hour pages an hour", () => {
    const last = (name: string) => aPreset(name).stages.at(-1);
    expect(last("bg-ops")).toEqual({ kind: "watch", holdMs: 1_800_000 });
    expect(last("canary-serverless")).toEqual({ kind: "watch", holdMs: 3_600_000 });
  });

  it("canary-serverless asks for split caches from 25 % on and for a peak hour at 50 %", () => {
    const { within } = aPreset("canary-serverless");
    expect(within).toMatchObject({ "cache-collision": { fromBp: 2_500 }, "peak-hour": { fromBp: 5_000 } });
  });

  it("canary goes back one stage first, shaping and blue-green to stable at once", () => {
    const targets = ["bg-serverless", "bg-ops", "canary-serverless", "shaping-strict"].map(
      (name) => aPreset(name).onFail,
    );
    expect(targets).toEqual(["stable", "stable", "previous-stage", "stable"]);
  });

  it("demo extends default: its own margins, and everything else of it", () => {
    const [demo, base] = [aPreset("demo"), aPreset("default")];
    expect(demo.gates["error-rate"]).toEqual({
      ...base.gates["error-rate"],
      margin: { under10: 0.03, under50: 0.03, from50: 0.015 },
    });
    expect(demo.gates.lambda).toEqual(base.gates.lambda);
    expect(Object.keys(demo.gates)).toEqual(Object.keys(base.gates));
  });

  it("spends at most an error budget of 1 % on stops in every preset", () => {
    for (const { name, gates } of Object.values(PRESETS)) {
      const stopping = Object.entries(gates).filter(([gate]) => gate !== "sample-ratio");
      const spent = stopping.reduce((sum, [, options]) => {
        const { mode, stop, alpha } = options as { mode?: string; stop?: number | null; alpha?: number };
        return sum + (mode === "literal" || stop === null ? 0 : (alpha ?? 0));
      }, 0);
      expect([name, spent <= 0.01 + 1e-12]).toEqual([name, true]);
    }
  });

  it("strictest-of takes the tightest bound of each option and asks a gate wherever one of them does", () => {
    const both = strictestPresetOf(["bg-serverless", "bg-ops"]);
    expect(both.gates["p95-warm"]).toMatchObject({ harmRatio: 1.15, minSamples: 600 });
    expect(both.gates.coverage).toMatchObject({ level: 0.7, stop: 0.7 });
    expect(both.gates.lambda).toMatchObject({ level: "strict" });
    expect(both.gates["tool-loop"]).toEqual({ max: 0, onNoData: "skip" });
    expect(both.gates["cache-hit-drop"]).toMatchObject({ stop: null });
    expect(both.within).toEqual({ "cache-hit-drop": { fromBp: 100, toBp: 10_000 } });
    expect(strictestPresetOf(["canary-serverless", "shaping-strict"]).gates["dedupe-miss"]).toMatchObject({
      promote: 0.001,
    });
  });
});
