import { bp } from "../../core/unit.ts";
import { defaultPreset } from "./default.ts";
import type { Preset } from "./preset.ts";

/**
 * `default` with holds and margins short enough to be watched. Error budgets and fuses are the default's.
 * @source decision-policy.md, "Preset demo"
 */
export const demoPreset: Preset = {
  name: "demo",
  version: 1,
  says: "a demo's proof, with shortened holds: harm beyond +1.5 points of errors or +30 % warm p95 excluded",
  gates: {
    ...defaultPreset.gates,
    "error-rate": {
      alpha: 0.001,
      beta: 0.05,
      margin: { under10: 0.03, under50: 0.03, from50: 0.015 },
      minSamples: 100,
    },
    "p95-warm": {
      alpha: 0.001,
      beta: 0.05,
      harmRatio: 1.1,
      margin: { under10: 1.5, under50: 1.5, from50: 1.3 },
      minSamples: 60,
    },
    coverage: {
      level: 0.7,
      stop: 0.6,
      dropMargin: { under10: 0.1, under50: 0.1, from50: 0.1 },
      dropStop: 0.05,
      topicLevel: 0.7,
      topicFloor: 0.5,
    },
  },
  stages: [
    { kind: "probes", tier: "full" },
    { kind: "traffic", candidateBp: bp(1_000), holdMs: 12_000, capMs: 60_000, onCap: "wait" },
    { kind: "traffic", candidateBp: bp(5_000), holdMs: 8_000, capMs: 60_000, onCap: "wait" },
    { kind: "watch", holdMs: 5_000 },
  ],
};
