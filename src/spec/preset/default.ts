import { MINUTE_MS, share, watched } from "./ladder.ts";
import type { PresetSource } from "./preset.ts";

/**
 * The default policy: harm found at any moment with at most 1 % false stops a rollout, promotion only on proof. Its
 * numbers are the defaults of its gates' kinds.
 * @source decision-policy.md
 */
export const defaultPreset: PresetSource = {
  name: "default",
  version: 2,
  says: "promotes on proof: harm beyond +0.5 points of errors and +25 % warm p95 excluded before 100 %",
  from: "the decision policy (docs/handbook/decisions/decision-policy.md)",
  gates: {
    "schema-violation": {},
    parity: {},
    "sample-ratio": {},
    "error-rate": {},
    "new-error-class": {},
    "p95-warm": {},
    coverage: {},
    "delta-s": {},
    lambda: {},
  },
  stages: [
    { kind: "probes", tier: "full" },
    share(1, 15 * MINUTE_MS),
    share(5, 15 * MINUTE_MS),
    share(10, 15 * MINUTE_MS),
    share(25, 15 * MINUTE_MS),
    { kind: "probes", tier: "full" },
    share(50, 30 * MINUTE_MS),
    watched(60 * MINUTE_MS),
  ],
};
