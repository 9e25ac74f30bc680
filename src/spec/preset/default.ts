import type { Stage } from "../../core/stage/plan.ts";
import { bp } from "../../core/unit.ts";
import type { Preset } from "./preset.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function share(percent: number, holdMs: number): Stage {
  return { kind: "traffic", candidateBp: bp(percent * 100), holdMs, capMs: 8 * HOUR_MS, onCap: "wait" };
}

/**
 * The default policy: harm found at any moment with at most 1 % false stops a rollout, promotion only on proof.
 * @source decision-policy.md
 */
export const defaultPreset: Preset = {
  name: "default",
  version: 1,
  says: "promotes on proof: harm beyond +0.5 points of errors and +25 % warm p95 excluded before 100 %",
  gates: {
    "schema-violation": { maxShare: 0.005 },
    parity: {},
    "error-rate": {
      alpha: 0.001,
      beta: 0.05,
      margin: { under10: 0.02, under50: 0.01, from50: 0.005 },
      minSamples: 100,
    },
    "new-error-class": { alpha: 0.001, beta: 0.05 },
    "p95-warm": {
      alpha: 0.001,
      beta: 0.05,
      harmRatio: 1.1,
      margin: { under10: 1.5, under50: 1.25, from50: 1.25 },
      minSamples: 60,
    },
    "delta-s": {
      limit: 0.45,
      stop: 0.6,
      driftMargin: { under10: 0.06, under50: 0.03, from50: 0.03 },
      driftStop: 0.03,
      p95DriftStop: 0.15,
    },
    coverage: {
      level: 0.7,
      stop: 0.6,
      dropMargin: { under10: 0.1, under50: 0.05, from50: 0.05 },
      dropStop: 0.05,
      topicLevel: 0.7,
      topicFloor: 0.5,
    },
    lambda: {
      level: "paired",
      margin: { under10: 0.1, under50: 0.05, from50: 0.05 },
      increaseStop: 0.05,
      flipRateStop: 0.2,
    },
  },
  stages: [
    { kind: "probes", tier: "full" },
    share(1, 15 * MINUTE_MS),
    share(5, 15 * MINUTE_MS),
    share(10, 15 * MINUTE_MS),
    share(25, 15 * MINUTE_MS),
    { kind: "probes", tier: "full" },
    share(50, 30 * MINUTE_MS),
    { kind: "watch", holdMs: HOUR_MS },
  ],
};
