import { canonicalJson, type Json } from "../core/canonical-json.ts";
import type {
  ArmReport,
  Interval,
  ItemMeasure,
  PairedReport,
  ProbeReport,
  UnseenGold,
} from "../core/measure/report.ts";
import type { VerdictKind } from "../core/verdict.ts";
import { sha256 } from "./digest.ts";

type JsonObject = { readonly [key: string]: Json };

/**
 * A report as `sluice probe --json` prints it: snake_case, one object, with the digest of everything else in it.
 * @source contracts.md "sluice probe"
 */
export function toWire(report: ProbeReport, verdict: VerdictKind) {
  const { arms, paired, calibration, gold, versions } = report;
  const body = {
    verdict,
    metrics: { stable: arms.stable === null ? null : armOnWire(arms.stable), candidate: armOnWire(arms.candidate) },
    paired: paired === null ? null : pairedOnWire(paired),
    detectable_drop: inSnakeCase(report.detectableDrop),
    discordant: report.discordant.map(({ id, topic, stable, candidate, states }) => {
      return { id, topic, stable, candidate, states: { ...states } };
    }),
    items: (report.items ?? []).map(({ id, topic, stable, candidate }) => {
      return { id, topic, stable: stable === null ? null : itemOnWire(stable), candidate: itemOnWire(candidate) };
    }),
    gold: {
      sections: gold.sections,
      unseen: {
        stable: gold.unseen.stable === null ? null : unseenOnWire(gold.unseen.stable),
        candidate: unseenOnWire(gold.unseen.candidate),
      },
    },
    calibration: {
      m_gold: calibration.mGold,
      m_decoy: calibration.mDecoy,
      auc: calibration.auc,
      usable: calibration.usable,
      reason: calibration.reason,
    },
    self_test: report.selfTest,
    tier: report.tier,
    questions: report.questions,
    repeats: report.repeats,
    k: report.k,
    seed: report.seed,
    gold_digest: report.goldDigest,
    versions: {
      delta_s: versions.deltaS,
      coverage: versions.coverage,
      lambda: versions.lambda,
      tokenizer: versions.tokenizer,
    },
    invalid_items: report.invalidItems,
    pooled_topics: report.pooledTopics,
  } satisfies JsonObject;
  return { ...body, digest: `sha256:${sha256(canonicalJson(body))}` };
}

/** What is printed; `schema/probe.schema.json` is made of a schema that must have the same keys. */
export type ProbeAnswer = ReturnType<typeof toWire>;

/** Digest of a report, whatever verdict it leads to; equal measurements have equal digests. */
export function reportDigest(report: ProbeReport): string {
  return `sha256:${sha256(canonicalJson(report as unknown as Json))}`;
}

function armOnWire(arm: ArmReport) {
  const { deltaS, deltaSAnchor, coverage, lambda } = arm;
  return {
    delta_s: {
      median: deltaS.median,
      p95: deltaS.p95,
      share_risk: deltaS.shareRisk,
      scale: deltaS.scale,
      embedder: deltaS.embedder,
      best: deltaS.best,
      cited: deltaS.cited,
      by_rank: deltaS.byRank,
      empty_runs: deltaS.emptyRuns,
      degenerate_runs: deltaS.degenerateRuns,
    },
    delta_s_anchor: deltaSAnchor === null ? null : { median: deltaSAnchor.median, p95: deltaSAnchor.p95 },
    coverage: {
      mean: coverage.estimate,
      ci: coverage.ci,
      by_topic: Object.fromEntries(
        Object.entries(coverage.byTopic).map(([topic, { mean, ci, questions }]) => [topic, { mean, ci, questions }]),
      ),
      level: coverage.level,
      share_low: coverage.shareLow,
    },
    lambda: {
      convergent_share: lambda.convergentShare,
      flip_rate: lambda.flipRate,
      max_flips_per_question: lambda.maxFlipsPerQuestion,
      states: { ...lambda.states },
      cite_convergent_share: lambda.citeConvergentShare,
    },
    citation_hit: arm.citationHit,
    citation_precision: arm.citationPrecision,
    hit_at_k: arm.hitAtK,
    recall_at_k: arm.recallAtK,
    mrr: arm.mrr,
    ndcg_at_k: arm.ndcgAtK,
    runs: arm.runs,
    errors: arm.errors,
    error_classes: { ...arm.errorClasses },
    schema_violations: arm.schemaViolations,
    failures: arm.failures.map(({ kind, what, runs, question, excerpt }) => ({ kind, what, runs, question, excerpt })),
    measured_questions: arm.measuredQuestions,
  };
}

function itemOnWire({ deltaS, coverage, lambda, flips }: ItemMeasure) {
  return { delta_s: deltaS, coverage, lambda_state: lambda, flips };
}

function unseenOnWire({ count, first }: UnseenGold) {
  return { count, first: first.map(({ doc, section }) => ({ doc, section })) };
}

function pairedOnWire(paired: PairedReport) {
  const interval = ({ estimate, ci }: Interval) => ({ estimate, ci });
  return {
    coverage_diff: interval(paired.coverage),
    coverage_diff_by_topic: Object.fromEntries(
      Object.entries(paired.coverageByTopic).map(([topic, { mean, ci, questions }]) => [
        topic,
        { mean, ci, questions },
      ]),
    ),
    delta_s_drift: { ...interval(paired.deltaS), median: paired.deltaS.median, p95: paired.deltaS.p95 },
    flip_rate_diff: interval(paired.flipRate),
    convergent_share_diff: interval(paired.convergentShare),
    citation_hit_diff: interval(paired.citationHit),
    ndcg_at_k_diff: interval(paired.ndcgAtK),
    arm_flip_rate: paired.armFlipRate,
    right: { ...paired.right },
    errors_only: { ...paired.errorsOnly },
  };
}

function inSnakeCase(members: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const snake = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(members).map(([key, value]) => [snake(key), value]));
}
