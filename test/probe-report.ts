import type { ArmReport, PairedReport, ProbeReport, TopicCoverage } from "../src/core/measure/report.ts";

/** What an arm showed, as far as probe gates read it; healthy where nothing is said. */
export interface Shown {
  readonly runs?: number;
  readonly errors?: number;
  readonly schemaViolations?: number;
  readonly errorClasses?: Readonly<Record<string, number>>;
  readonly failures?: ArmReport["failures"];
  readonly measured?: number;
  readonly median?: number;
  readonly p95?: number;
  readonly coverage?: number;
  readonly coverageCi?: readonly [low: number, high: number];
  /** A number alone is the mean of five questions of which nothing more is known. */
  readonly topics?: Readonly<Record<string, number | TopicCoverage>>;
  readonly flipRate?: number;
  readonly flips?: number;
  readonly convergent?: number;
  readonly states?: Partial<ArmReport["lambda"]["states"]>;
}

const NOTHING_UNSEEN = { count: 0, first: [] };

function arm(shown: Shown): ArmReport {
  const byTopic = Object.entries(shown.topics ?? {}).map(([name, topic]) => {
    return [name, typeof topic === "number" ? { mean: topic, ci: [0, 1] as const, questions: 5 } : topic] as const;
  });
  const states = { "→": 0, "=": 0, "<>": 0, "←": 0, "×": 0, unknown: 0, ...(shown.states ?? { "→": 50 }) };
  return {
    runs: shown.runs ?? 300,
    errors: shown.errors ?? 0,
    errorClasses: shown.errorClasses ?? {},
    schemaViolations: shown.schemaViolations ?? 0,
    failures: shown.failures ?? [],
    measuredQuestions: shown.measured ?? 50,
    deltaS: {
      median: shown.median ?? 0.4,
      p95: shown.p95 ?? 0.5,
      shareRisk: 0,
      scale: "calibrated",
      embedder: "test",
      best: 0.3,
      cited: null,
      byRank: [],
      emptyRuns: 0,
      degenerateRuns: 0,
    },
    deltaSAnchor: null,
    coverage: {
      estimate: shown.coverage ?? 0.8,
      ci: shown.coverageCi ?? [0, 1],
      level: "L1",
      shareLow: 0,
      byTopic: Object.fromEntries(byTopic),
    },
    lambda: {
      convergentShare: shown.convergent ?? 1,
      flipRate: shown.flipRate ?? 0,
      maxFlipsPerQuestion: shown.flips ?? 0,
      states,
      citeConvergentShare: 1,
    },
    citationHit: 1,
    citationPrecision: 1,
    hitAtK: 1,
    recallAtK: 1,
    mrr: 1,
    ndcgAtK: 1,
  };
}

/** A report of 50 questions; `stable: null` when only the candidate was asked. */
export function aProbeReport(
  over: {
    readonly stable?: Shown | null;
    readonly candidate?: Shown;
    readonly repeats?: number;
    readonly paired?: Partial<PairedReport>;
  } & Partial<Pick<ProbeReport, "selfTest" | "calibration" | "detectableDrop" | "gold">> = {},
): ProbeReport {
  const { stable = {}, candidate = {}, repeats = 2, paired = {}, ...rest } = over;
  const none = { estimate: 0, ci: [-1, 1] } as const;
  const drift = stable === null ? 0 : (candidate.median ?? 0.4) - (stable.median ?? 0.4);
  const pairs: PairedReport = {
    coverage: none,
    coverageByTopic: {},
    deltaS: { ...none, estimate: drift, median: drift, p95: 0 },
    flipRate: none,
    convergentShare: none,
    citationHit: none,
    ndcgAtK: none,
    armFlipRate: 0,
    right: { lost: 0, gained: 0 },
    errorsOnly: { stable: 0, candidate: 0 },
    ...paired,
  };
  return {
    tier: "full",
    questions: 50,
    repeats,
    k: 10,
    versions: { deltaS: "test", coverage: "test", lambda: "test", tokenizer: "test" },
    goldDigest: "test",
    seed: 1,
    arms: { stable: stable === null ? null : arm(stable), candidate: arm(candidate) },
    paired: stable === null ? null : pairs,
    detectableDrop: {},
    discordant: [],
    gold: { sections: 50, unseen: { stable: stable === null ? null : NOTHING_UNSEEN, candidate: NOTHING_UNSEEN } },
    calibration: { mGold: 0.35, mDecoy: 0.85, auc: 1, usable: true, reason: null },
    selfTest: "fired",
    invalidItems: [],
    pooledTopics: [],
    ...rest,
  };
}
