import { z } from "zod";
import { canonicalJson, type Json } from "../../core/canonical-json.ts";
import type { ArmReport, ItemMeasure, PairedReport, ProbeReport } from "../../core/measure/report.ts";
import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { readNamedFile, sha256Hex } from "../../host/named-file.ts";

const number = z.number();
const ci = z.tuple([number, number]).readonly();
const interval = z.object({ estimate: number, ci });
const counts = z.record(z.string(), number);
const state = z.enum(["→", "=", "<>", "←", "×", "unknown"]);
const byArm = z.object({ stable: number, candidate: number });
const byTopic = z.record(z.string(), z.object({ mean: number, ci, questions: number }));

const arm = z.object({
  delta_s: z.object({
    median: number,
    p95: number,
    share_risk: number,
    scale: z.enum(["calibrated", "raw"]),
    embedder: z.string(),
    best: number,
    cited: number.nullable(),
    by_rank: z.array(number),
    empty_runs: number,
    degenerate_runs: number,
  }),
  delta_s_anchor: z.object({ median: number, p95: number }).nullable(),
  coverage: z.object({
    mean: number,
    ci,
    by_topic: byTopic,
    level: z.enum(["L1", "L2", "L3"]),
    share_low: number,
  }),
  lambda: z.object({
    convergent_share: number,
    flip_rate: number,
    max_flips_per_question: number,
    states: z.record(state, number),
    cite_convergent_share: number,
  }),
  citation_hit: number,
  citation_precision: number,
  hit_at_k: number,
  recall_at_k: number,
  mrr: number,
  ndcg_at_k: number,
  runs: number,
  errors: number,
  error_classes: counts,
  schema_violations: number,
  /** Absent in results of versions that kept counts alone. */
  failures: z
    .array(
      z.object({
        kind: z.enum(["error", "schema-violation"]),
        what: z.string(),
        runs: number,
        question: z.string(),
        excerpt: z.string().nullable(),
      }),
    )
    .default([]),
  measured_questions: number,
});

const paired = z.object({
  coverage_diff: interval,
  /** Absent in results of versions that did not pair topics. */
  coverage_diff_by_topic: byTopic.optional(),
  delta_s_drift: interval.extend({ median: number, p95: number }),
  flip_rate_diff: interval,
  convergent_share_diff: interval,
  citation_hit_diff: interval,
  ndcg_at_k_diff: interval,
  arm_flip_rate: number,
  right: z.object({ lost: number, gained: number }),
  errors_only: byArm,
});

const itemMeasure = z.object({
  delta_s: number.nullable(),
  coverage: number.nullable(),
  lambda_state: state,
  flips: number,
});

const unseen = z.object({ count: number, first: z.array(z.object({ doc: z.string(), section: z.string() })) });
const NONE_UNSEEN = { count: 0, first: [] };

/** What `sluice probe --json` prints. @source contracts.md "sluice probe" */
const results = z.object({
  metrics: z.object({ stable: arm.nullable(), candidate: arm }),
  paired: paired.nullable(),
  detectable_drop: counts,
  discordant: z.array(
    z.object({
      id: z.string(),
      topic: z.string(),
      stable: number,
      candidate: number,
      states: z.object({ stable: state, candidate: state }),
    }),
  ),
  /** Absent in results of versions that kept no question by itself. */
  items: z
    .array(z.object({ id: z.string(), topic: z.string(), stable: itemMeasure.nullable(), candidate: itemMeasure }))
    .default([]),
  /** Absent in results of versions that did not look for unseen gold. */
  gold: z
    .object({ sections: number, unseen: z.object({ stable: unseen.nullable(), candidate: unseen }) })
    .default({ sections: 0, unseen: { stable: NONE_UNSEEN, candidate: NONE_UNSEEN } }),
  calibration: z.object({
    m_gold: number,
    m_decoy: number,
    auc: number,
    usable: z.boolean(),
    reason: z.string().nullable(),
  }),
  self_test: z.enum(["fired", "did not fire"]),
  tier: z.enum(["smoke", "full"]),
  questions: number,
  repeats: number,
  k: number,
  seed: number,
  gold_digest: z.string(),
  versions: z.object({ delta_s: z.string(), coverage: z.string(), lambda: z.string(), tokenizer: z.string() }),
  invalid_items: z.array(z.string()),
  pooled_topics: z.array(z.string()),
});

/**
 * Reads what `sluice probe --json` printed back into the report the probe gates judge. A file that was changed since,
 * or is something else, is bad usage: gates must not judge numbers nobody measured.
 */
export async function readProbeResults(file: string): Promise<ProbeReport> {
  const text = await readNamedFile(file, "the probe results");
  const advice = "expected the one JSON object that `sluice probe --json` prints";
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CliError(EXIT.badUsage, `${file} is not JSON (${(error as Error).message}); ${advice}`);
  }
  const parsed = results.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CliError(EXIT.badUsage, `${file} at ${issue?.path.join(".")}: ${issue?.message}; ${advice}`);
  }
  const { digest, ...body } = json as { readonly digest?: Json; readonly [key: string]: Json | undefined };
  const found = `sha256:${sha256Hex(canonicalJson(body as Json))}`;
  if (digest !== found)
    throw new CliError(EXIT.badUsage, `${file} has digest ${String(digest)}, its content ${found}: it was changed`);
  return reportOf(parsed.data);
}

function reportOf(wire: z.infer<typeof results>): ProbeReport {
  const { metrics, calibration, versions } = wire;
  return {
    tier: wire.tier,
    questions: wire.questions,
    repeats: wire.repeats,
    k: wire.k,
    versions: { ...versions, deltaS: versions.delta_s },
    goldDigest: wire.gold_digest,
    seed: wire.seed,
    arms: {
      stable: metrics.stable === null ? null : armOf(metrics.stable),
      candidate: armOf(metrics.candidate),
    },
    paired: wire.paired === null ? null : pairedOf(wire.paired),
    detectableDrop: wire.detectable_drop,
    discordant: wire.discordant,
    items: wire.items.map(({ stable, candidate, ...item }) => ({
      ...item,
      stable: stable === null ? null : itemOf(stable),
      candidate: itemOf(candidate),
    })),
    gold: wire.gold,
    calibration: {
      mGold: calibration.m_gold,
      mDecoy: calibration.m_decoy,
      auc: calibration.auc,
      usable: calibration.usable,
      reason: calibration.reason,
    },
    selfTest: wire.self_test,
    invalidItems: wire.invalid_items,
    pooledTopics: wire.pooled_topics,
  };
}

function itemOf({ delta_s: deltaS, coverage, lambda_state: lambda, flips }: z.infer<typeof itemMeasure>): ItemMeasure {
  return { deltaS, coverage, lambda, flips };
}

function armOf(wire: z.infer<typeof arm>): ArmReport {
  const { delta_s: deltaS, coverage, lambda } = wire;
  return {
    runs: wire.runs,
    errors: wire.errors,
    errorClasses: wire.error_classes,
    schemaViolations: wire.schema_violations,
    failures: wire.failures,
    measuredQuestions: wire.measured_questions,
    deltaS: {
      median: deltaS.median,
      p95: deltaS.p95,
      shareRisk: deltaS.share_risk,
      scale: deltaS.scale,
      embedder: deltaS.embedder,
      best: deltaS.best,
      cited: deltaS.cited,
      byRank: deltaS.by_rank,
      emptyRuns: deltaS.empty_runs,
      degenerateRuns: deltaS.degenerate_runs,
    },
    deltaSAnchor: wire.delta_s_anchor,
    coverage: {
      estimate: coverage.mean,
      ci: coverage.ci,
      level: coverage.level,
      shareLow: coverage.share_low,
      byTopic: coverage.by_topic,
    },
    lambda: {
      convergentShare: lambda.convergent_share,
      flipRate: lambda.flip_rate,
      maxFlipsPerQuestion: lambda.max_flips_per_question,
      states: lambda.states,
      citeConvergentShare: lambda.cite_convergent_share,
    },
    citationHit: wire.citation_hit,
    citationPrecision: wire.citation_precision,
    hitAtK: wire.hit_at_k,
    recallAtK: wire.recall_at_k,
    mrr: wire.mrr,
    ndcgAtK: wire.ndcg_at_k,
  };
}

function pairedOf(wire: z.infer<typeof paired>): PairedReport {
  return {
    coverage: wire.coverage_diff,
    coverageByTopic: wire.coverage_diff_by_topic ?? {},
    deltaS: wire.delta_s_drift,
    flipRate: wire.flip_rate_diff,
    convergentShare: wire.convergent_share_diff,
    citationHit: wire.citation_hit_diff,
    ndcgAtK: wire.ndcg_at_k_diff,
    armFlipRate: wire.arm_flip_rate,
    right: wire.right,
    errorsOnly: wire.errors_only,
  };
}
