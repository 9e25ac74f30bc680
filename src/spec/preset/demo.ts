import { share, watched } from "./ladder.ts";
import type { PresetSource } from "./preset.ts";

/**
 * `default` with holds and margins short enough to be watched. Error budgets and fuses are the default's.
 * @source decision-policy.md, "Preset demo"
 */
export const demoPreset: PresetSource = {
  name: "demo",
  version: 2,
  extends: "default",
  says: "a demo's proof, with shortened holds: harm beyond +1.5 points of errors or +30 % warm p95 excluded",
  from: "preset default, with the decision policy's numbers for a demo",
  gates: {
    "error-rate": { margin: { under10: 0.03, under50: 0.03, from50: 0.015 } },
    // The laboratory's services are steady: whoever is slow for seconds on end is slow.
    "p95-warm": { margin: { under10: 1.5, under50: 1.5, from50: 1.3 }, swingMs: 1_000 },
    coverage: { dropMargin: { under10: 0.1, under50: 0.1, from50: 0.1 } },
  },
  stages: [{ kind: "probes", tier: "full" }, share(10, 12_000, 60_000), share(50, 8_000, 60_000), watched(5_000)],
};
