import { stagesOfPace } from "../../core/stage/pace.ts";
import { planPace } from "../pace-document.ts";
import type { PresetSource } from "./preset.ts";

const { pace, ladder } = planPace();

/**
 * The default policy: harm found at any moment with at most 1 % false stops a rollout, promotion only on proof. Its
 * numbers are the defaults of its gates' kinds.
 * @source decision-policy.md
 */
export const defaultPreset: PresetSource = {
  name: "default",
  version: 3,
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
  stages: stagesOfPace(ladder, true),
  pace,
};
