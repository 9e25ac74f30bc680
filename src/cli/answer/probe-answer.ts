import { z } from "zod";
import type { ArmReport, CoverageLevel, ProbeFailure, ProbeReport } from "../../core/measure/report.ts";
import type { ProbeAnswer } from "../../probe/wire.ts";
import { byTopic, estimate, lambdaState } from "../../contract/probe-report.ts";
import { count, countByArm, type EveryOf, interval, share, verdictKind, type Wire } from "../../contract/wire.ts";

const number = z.number();
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const deltaS = z.strictObject({
  median: number,
  p95: number,
  share_risk: share.describe("questions at 0.60 or more"),
  scale: z.enum({ calibrated: "calibrated", raw: "raw" } satisfies EveryOf<ArmReport["deltaS"]["scale"]>),
  embedder: z.string(),
  best: number.describe("median of the closest chunk"),
  cited: number.nullable().describe("median of the closest cited chunk; null when nothing was cited"),
  by_rank: z.array(number).describe("mean by rank, first rank first"),
  empty_runs: count,
  degenerate_runs: count,
});

const lambda = z.strictObject({
  convergent_share: share,
  flip_rate: share,
  max_flips_per_question: count,
  states: z
    .strictObject({ "→": count, "=": count, "<>": count, "←": count, "×": count, unknown: count })
    .describe("questions by state"),
  cite_convergent_share: share,
});

const arm = z.strictObject({
  delta_s: deltaS,
  delta_s_anchor: z.strictObject({ median: number, p95: number }).nullable().describe("null without anchor texts"),
  coverage: z.strictObject({
    mean: share,
    ci: interval,
    by_topic: byTopic,
    level: z.enum({ L1: "L1", L2: "L2", L3: "L3" } satisfies EveryOf<CoverageLevel>),
    share_low: share.describe("questions under 0.70"),
  }),
  lambda,
  citation_hit: share,
  citation_precision: share,
  hit_at_k: share,
  recall_at_k: share,
  mrr: share,
  ndcg_at_k: share,
  runs: count,
  errors: count.describe("runs without a usable answer; in runs as well"),
  error_classes: z.record(z.string(), count).describe("the same by stage|family|code"),
  schema_violations: count,
  failures: z
    .array(
      z.strictObject({
        kind: z.enum({ error: "error", "schema-violation": "schema-violation" } satisfies EveryOf<
          ProbeFailure["kind"]
        >),
        what: z.string().describe("error class as stage|family|code, or what breaks the contract"),
        runs: count,
        question: z.string().describe("id of the first question that failed so"),
        excerpt: z.string().nullable().describe("beginning of what was answered; null when nothing was"),
      }),
    )
    .describe("the commonest ways of failing, most frequent first"),
  measured_questions: count,
});

const paired = z.strictObject({
  coverage_diff: estimate,
  coverage_diff_by_topic: byTopic,
  delta_s_drift: estimate.extend({ median: number, p95: number }),
  flip_rate_diff: estimate,
  convergent_share_diff: estimate,
  citation_hit_diff: estimate,
  ndcg_at_k_diff: estimate,
  arm_flip_rate: share,
  right: z.strictObject({ lost: count, gained: count }).describe("questions right on one arm alone"),
  errors_only: countByArm.describe("runs that failed on one arm alone"),
});

const discordant = z.strictObject({
  id: z.string(),
  topic: z.string(),
  stable: number,
  candidate: number,
  states: z.strictObject({ stable: lambdaState, candidate: lambdaState }),
});

const itemMeasure = z.strictObject({
  delta_s: number.nullable(),
  coverage: share.nullable(),
  lambda_state: lambdaState,
  flips: count.describe("phrasings whose outcome is another than the question's"),
});

const item = z.strictObject({
  id: z.string(),
  topic: z.string(),
  stable: itemMeasure.nullable().describe("null when one target was asked"),
  candidate: itemMeasure,
});

const unseen = z.strictObject({
  count,
  first: z.array(z.strictObject({ doc: z.string(), section: z.string() })).describe("at most 20"),
});

const calibration = z.strictObject({
  m_gold: number,
  m_decoy: number,
  auc: share,
  usable: z.boolean(),
  reason: z.string().nullable(),
});

const selfTest = { fired: "fired", "did not fire": "did not fire" } satisfies EveryOf<ProbeReport["selfTest"]>;
const tier = { smoke: "smoke", full: "full" } satisfies EveryOf<ProbeReport["tier"]>;

/** The one object `sluice probe --json` prints, which the probe layer makes. @source contracts.md "sluice probe" */
export const probeAnswer = z.strictObject({
  verdict: verdictKind,
  metrics: z.strictObject({ stable: arm.nullable().describe("null when one target was asked"), candidate: arm }),
  paired: paired.nullable().describe("candidate - stable on the same questions; null when one target was asked"),
  detectable_drop: z.record(z.string(), number).describe("smallest drop seen at power 0.8, by metric"),
  discordant: z.array(discordant),
  items: z.array(item).describe("every question asked, in the order of the set"),
  gold: z
    .strictObject({
      sections: count,
      unseen: z.strictObject({ stable: unseen.nullable(), candidate: unseen }),
    })
    .describe("gold sections asked for, and those an arm returned to no question"),
  calibration,
  self_test: z.enum(selfTest),
  tier: z.enum(tier),
  questions: count,
  repeats: count,
  k: count,
  seed: z.number(),
  gold_digest: digest,
  versions: z.strictObject({ delta_s: z.string(), coverage: z.string(), lambda: z.string(), tokenizer: z.string() }),
  invalid_items: z.array(z.string()),
  pooled_topics: z.array(z.string()),
  digest: digest.describe("of everything else in the object, as canonical JSON (RFC 8785)"),
}) satisfies z.ZodType<ProbeAnswer>;

/** The same as {@link ProbeAnswer}: the schema must have every key of it, and the command prints it as this type. */
export type PrintedProbeAnswer = Wire<typeof probeAnswer>;
