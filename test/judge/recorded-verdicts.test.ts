import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { verdictWire } from "../../src/controller/status.ts";
import { forecastRollout } from "../../src/core/forecast/rollout.ts";
import { forecastStage } from "../../src/core/forecast/stage.ts";
import type { StageView } from "../../src/core/judge/block.ts";
import { type GateSetting, gateLabel } from "../../src/core/judge/setting.ts";
import {
  foldEvidence,
  foldReading,
  isHarmProven,
  judgeProbes,
  judgeTraffic,
  startEvidence,
} from "../../src/core/judge/engine.ts";
import { GATES, isTrafficGate } from "../../src/core/judge/gates.ts";
import { bp } from "../../src/core/unit.ts";
import type { Verdict } from "../../src/core/verdict.ts";
import { PRESETS } from "../../src/spec/preset/index.ts";
import { aPlan, aPreset, gatesOf } from "../builders.ts";
import { REPORTS, secondsOf, WORLDS } from "./worlds.ts";

/**
 * What the judge said when it was recorded. The texts and numbers of verdicts are read by people and programs, so a
 * change of the code must not change them unasked. With UPDATE_RECORDED=1 the files are written first; read their diff.
 */
const FOLDER = new URL("./recorded/", import.meta.url);

function expectRecorded(name: string, lines: readonly string[]): void {
  const path = fileURLToPath(new URL(name, FOLDER));
  const text = `${lines.join("\n")}\n`;
  if (process.env["UPDATE_RECORDED"] === "1") writeFileSync(path, text);
  expect(text).toBe(readFileSync(path, "utf8"));
}

const digest = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 8);

/** A verdict as a line: what a person reads, and a digest over everything that goes over the wire. */
const told = (verdict: Verdict): string => {
  const wire = verdictWire(verdict);
  return `${digest(wire)} ${wire.gate} ${wire.verdict} (${wire.condition}): ${wire.reason} | ${wire.needs ?? "-"}`;
};

const stageAt = (percent: number, kind: StageView["kind"]): StageView => {
  const held = { heldMs: 40_000, holdMs: 30_000 };
  return { kind, candidateBp: bp(percent * 100), ...held };
};

/** What a set of gates says at the end of each share of a world. */
function worldLines(settings: readonly GateSetting[], world: (typeof WORLDS)[number]): readonly string[] {
  const known = { known: ["headers|5xx|503"] };
  let evidence = startEvidence(settings, known);
  return secondsOf(world).flatMap(({ percent, block, reading, isLast }) => {
    evidence = foldEvidence(evidence, block, settings);
    if (reading !== null) evidence = foldReading(evidence, reading, settings);
    if (!isLast) return [];
    const stage = stageAt(percent, percent === 100 ? "watch" : "traffic");
    const harm = isHarmProven(evidence, stage, settings) ? " HARM" : "";
    const verdicts = judgeTraffic(evidence, stage, settings);
    return [`${world.name} at ${percent} %${harm}`, ...verdicts.map((verdict) => `  ${told(verdict)}`)];
  });
}

/** A gate by itself, as a document that gives it no options would have it, and in literal mode where it has one. */
function aloneSettings(): readonly GateSetting[] {
  return GATES.flatMap(({ name: kind, defaults: options }): GateSetting[] => {
    const setting = { gate: kind, options: { ...options }, source: "test" };
    if (kind === "metric") {
      const limits = { metric: "queue-age", comparison: "ratio", better: "lower", promote: 1.2, stop: 20 };
      return [{ ...setting, instance: "queue-age", options: { ...limits, ...options, ...limits } }];
    }
    if (kind === "custom") {
      const rules = { pass: "candidate.error_rate <= stable.error_rate + 0.01", fail: "candidate.p95_ms > 1000.0" };
      return [{ ...setting, instance: "calm", options: { ...rules, ...options, ...rules } }];
    }
    if (kind === "peak-hour") return [setting, { ...setting, options: { requestsPerSecond: 50, lengthMs: 60_000 } }];
    if (!("mode" in options)) return [setting];
    return [setting, { ...setting, options: { ...options, mode: "literal" } }];
  });
}

const titleOf = (setting: GateSetting) => `${gateLabel(setting)} ${JSON.stringify(setting.options)}`;

describe("recorded verdicts", () => {
  it("of every gate over traffic by itself, in every world", () => {
    const traffic = aloneSettings().filter(({ gate }) => isTrafficGate(gate));
    expect(traffic.length).toBeGreaterThan(20);
    const lines = traffic.flatMap((setting) => [
      `== ${titleOf(setting)}`,
      ...WORLDS.flatMap((world) => worldLines([setting], world)),
    ]);
    expectRecorded("traffic-gates.txt", lines);
  });

  it("of every gate over probes by itself, on every report", () => {
    const lines = aloneSettings().flatMap((setting) => {
      const spoken = Object.entries(REPORTS).flatMap(([name, report]) =>
        [0, 5, 50].flatMap((percent) =>
          judgeProbes(report, stageAt(percent, "probes"), [setting]).map(
            (one) => `${name} at ${percent} %  ${told(one)}`,
          ),
        ),
      );
      return spoken.length === 0 ? [] : [`== ${titleOf(setting)}`, ...spoken];
    });
    expectRecorded("probe-gates.txt", lines);
  });

  it("of every preset, in every world and on every report", () => {
    const lines = Object.keys(PRESETS).flatMap((name) => {
      const settings = gatesOf(aPreset(name));
      const worlds = WORLDS.map((world) => {
        const spoken = worldLines(settings, world);
        const failed = spoken.flatMap((line) => / ([a-z0-9-]+(?:\[[^\]]+\])?) fail \(/.exec(line)?.[1] ?? []);
        return `${name} / ${world.name}: ${digest(spoken)} ${[...new Set(failed)].join(", ")}`;
      });
      const reports = Object.entries(REPORTS).map(([title, report]) => {
        const spoken = judgeProbes(report, stageAt(5, "probes"), settings).map(told);
        return `${name} / ${title}: ${digest(spoken)}`;
      });
      return [...worlds, ...reports];
    });
    expectRecorded("presets.txt", lines);
  });

  it("of the forecasts of every preset and every gate", () => {
    const assumed = { requestsPerSecond: 40, failureRate: 0.005, latencySigma: 0.5 };
    const plans = [
      ...Object.keys(PRESETS).map(
        (name) => [name, aPlan({ gates: gatesOf(aPreset(name)), stages: aPreset(name).stages })] as const,
      ),
      ...aloneSettings().map((setting) => [titleOf(setting), aPlan({ gates: [setting] })] as const),
    ];
    const lines = plans.flatMap(([title, plan]) => {
      return [
        `== ${title}`,
        JSON.stringify(forecastRollout(plan, assumed)),
        ...plan.stages.flatMap((stage) =>
          stage.kind === "traffic"
            ? forecastStage(plan, stage, assumed).map(
                (one) => `${stage.candidateBp} ${JSON.stringify({ ...one, never: undefined, canLearn: undefined })}`,
              )
            : [],
        ),
      ];
    });
    expectRecorded("forecasts.txt", lines);
  });
});
