import type { DrillPlan } from "../src/core/drill/plan.ts";
import { bp } from "../src/core/unit.ts";

const region = (name: string, nearest: readonly string[]): DrillPlan["regions"][number] => ({
  name,
  url: `http://${name}.test/answer`,
  healthUrl: `http://${name}.test/healthz/ready`,
  nearest,
  queue: null,
  cache: null,
  rebuildUrl: null,
});

/** A drill of two regions, as page 004 has it, in short times. */
export function aDrillPlan(over: Partial<DrillPlan> = {}): DrillPlan {
  return {
    drillId: "d-1",
    generation: 1,
    documentDigest: "sha256:0",
    service: "support-rag",
    regions: [region("us-east", ["eu-west"]), region("eu-west", ["us-east"])],
    evacuate: "us-east",
    survivor: "eu-west",
    routing: { mode: "latency", stickMs: 900_000, hysteresisMs: 30_000 },
    freezesWrites: true,
    checks: {
      pre: ["env_parity", "index_hash_equal"],
      live: ["p95_latency", "error_rate", "index_hash"],
      post: ["contracts_equal"],
    },
    probe: { k: 10, dualhomeK: 5, deltaSRisk: 0.6, coverageMin: 0.7, set: null },
    webhook: { emitFrom: "eu-west", dedupeKey: "sha256(event_id+rev)" },
    home: { rebuild: true, purgeCache: true, weightsBp: [bp(1_000), bp(3_000), bp(6_000), bp(10_000)] },
    limits: { p95Ratio: 1.25, errorShare: 0.01, backlog: 100, hotKeys: 20 },
    times: { cutoverMs: 30_000, stepWithinMs: 5_000, observeMs: 2_000, rebuildMs: 60_000, holdMs: 1_000 },
    permission: { approvals: 0, blastRadiusBp: bp(5_000), freezeWindows: [], schedule: null },
    fromEpoch: 40,
    ...over,
  };
}
