import type { ByArm } from "../arm.ts";
import type { SectionRef } from "./gold.ts";

/** An estimate with its interval, same unit. */
export interface Interval {
  readonly estimate: number;
  /** Two-sided 90 %, so that each end is a one-sided 95 % bound. */
  readonly ci: readonly [low: number, high: number];
}

/** L1 by offsets, L2 by the returned text, L3 by section ids; one for both arms. @source definitions.md §4 */
export type CoverageLevel = "L1" | "L2" | "L3";

/** λ states of questions (definitions.md §5). `unknown`: fewer than 4 valid runs. */
export type LambdaState = "→" | "=" | "<>" | "←" | "×" | "unknown";

/** A topic of which no question was answered has mean 0 within [0, 1]: nothing is known. */
export interface TopicCoverage {
  readonly mean: number;
  /** Each end holds at 0.05 divided by the number of topics, so that all topics may be judged at once. */
  readonly ci: readonly [low: number, high: number];
  /** Questions that were answered at least once; which topics there are is settled by the gold set alone. */
  readonly questions: number;
}

/** ΔS of one arm: runs averaged to questions, questions summarised. An arm without any measured question has 1. */
export interface DeltaSReport {
  readonly median: number;
  readonly p95: number;
  /** Share of questions at 0.60 or more. */
  readonly shareRisk: number;
  readonly scale: "calibrated" | "raw";
  /** EVAL_EMBED_VER of the judge. */
  readonly embedder: string;
  /** Median over questions of the closest chunk. */
  readonly best: number;
  /** Median over questions of the closest cited chunk; null when nothing was cited. */
  readonly cited: number | null;
  /** Mean by rank, first rank first. */
  readonly byRank: readonly number[];
  /** Runs without any text to compare, and runs whose chunk is practically the question (raw under 0.02). */
  readonly emptyRuns: number;
  readonly degenerateRuns: number;
}

/** One way in which runs of an arm failed, told by the first run that failed so. */
export interface ProbeFailure {
  readonly kind: "error" | "schema-violation";
  /** The error class, or what breaks the contract: "field `citations` is missing". */
  readonly what: string;
  readonly runs: number;
  /** Id of the question. */
  readonly question: string;
  /** The beginning of what was answered, without secrets, at most 200 bytes; null when nothing was answered. */
  readonly excerpt: string | null;
}

/** Gold sections that an arm returned in no run of any question, of those it could have returned. */
export interface UnseenGold {
  readonly count: number;
  /** At most 20 of them, in the order of the set. */
  readonly first: readonly SectionRef[];
}

/** What the gold set said about one arm. Question is the unit: its runs are averaged before any statistic. */
export interface ArmReport {
  readonly runs: number;
  /** Runs without a usable answer (timeout, 5xx, cut body); counted, never dropped. */
  readonly errors: number;
  /** The same by class `stage|family|code`. */
  readonly errorClasses: Readonly<Record<string, number>>;
  readonly schemaViolations: number;
  /** The commonest ways of failing, at most 5, most frequent first. */
  readonly failures: readonly ProbeFailure[];
  /** Answerable questions with at least one valid run; coverage, ΔS, ranks and citations speak of these. */
  readonly measuredQuestions: number;
  readonly deltaS: DeltaSReport;
  /** Raw distance of the closest chunk to the gold section; null when no anchor text is known. */
  readonly deltaSAnchor: { readonly median: number; readonly p95: number } | null;
  /** An arm without any measured question has 0 within [0, 1]: nothing is known. */
  readonly coverage: Interval & {
    readonly level: CoverageLevel;
    /** Share of questions under 0.70. */
    readonly shareLow: number;
    readonly byTopic: Readonly<Record<string, TopicCoverage>>;
  };
  readonly lambda: {
    /** Share of `→` among the questions that have a state. */
    readonly convergentShare: number;
    readonly flipRate: number;
    readonly maxFlipsPerQuestion: number;
    readonly states: Readonly<Record<LambdaState, number>>;
    /** λ of the first cited section: share of questions on which it is stably gold. */
    readonly citeConvergentShare: number;
  };
  readonly citationHit: number;
  readonly citationPrecision: number;
  readonly hitAtK: number;
  readonly recallAtK: number;
  readonly mrr: number;
  readonly ndcgAtK: number;
}

/** A question whose answer differs between the arms; `stable` and `candidate` are its coverage. */
export interface DiscordantQuestion {
  readonly id: string;
  readonly topic: string;
  readonly stable: number;
  readonly candidate: number;
  readonly states: ByArm<LambdaState>;
}

/** What one question showed on one arm. Null where no run could be measured, or where there is no gold to find. */
export interface ItemMeasure {
  /** On the scale of the whole report. */
  readonly deltaS: number | null;
  readonly coverage: number | null;
  readonly lambda: LambdaState;
  /** Phrasings whose outcome is another than the question's. */
  readonly flips: number;
}

/** One question of the set; `stable` is null when only one target was asked. */
export interface ItemReport {
  readonly id: string;
  readonly topic: string;
  readonly stable: ItemMeasure | null;
  readonly candidate: ItemMeasure;
}

/** Both arms on the same questions, candidate - stable. */
export interface PairedReport {
  readonly coverage: Interval;
  /** The same for each topic that is judged by itself; `questions` were answered on both arms. */
  readonly coverageByTopic: Readonly<Record<string, TopicCoverage>>;
  readonly deltaS: Interval & { readonly median: number; readonly p95: number };
  readonly flipRate: Interval;
  readonly convergentShare: Interval;
  readonly citationHit: Interval;
  readonly ndcgAtK: Interval;
  /** Share of (question, phrasing, repetition) whose outcome differs between the arms. */
  readonly armFlipRate: number;
  /** Questions right on stable alone (`lost`) and on the candidate alone (`gained`), for the exact test. */
  readonly right: { readonly lost: number; readonly gained: number };
  /** Runs that failed on exactly one arm, for the exact test. */
  readonly errorsOnly: ByArm<number>;
}

/** Everything the probe gates read. Measurements only: thresholds belong to the gates. */
export interface ProbeReport {
  readonly tier: "smoke" | "full";
  readonly questions: number;
  readonly repeats: number;
  readonly k: number;
  /** Versions of the definitions; reports of different versions are not compared. */
  readonly versions: Readonly<Record<"deltaS" | "coverage" | "lambda" | "tokenizer", string>>;
  readonly goldDigest: string;
  readonly seed: number;
  /** `stable` is null when only one target was asked. */
  readonly arms: { readonly stable: ArmReport | null; readonly candidate: ArmReport };
  /** Null when only one target was asked. */
  readonly paired: PairedReport | null;
  /** Smallest drop each metric could have shown at power 0.8, by metric. */
  readonly detectableDrop: Readonly<Record<string, number>>;
  readonly discordant: readonly DiscordantQuestion[];
  /** Every question asked, in the order of the set. Absent in reports of versions that kept the sums alone. */
  readonly items?: readonly ItemReport[];
  /**
   * Distinct gold sections asked for, and which of them an arm never returned; stable is null when it was not asked.
   */
  readonly gold: {
    readonly sections: number;
    readonly unseen: { readonly stable: UnseenGold | null; readonly candidate: UnseenGold };
  };
  /** `usable` false: absolute ΔS gates refuse to run, with the reason. */
  readonly calibration: {
    readonly mGold: number;
    readonly mDecoy: number;
    readonly auc: number;
    readonly usable: boolean;
    readonly reason: string | null;
  };
  /** The decoy self-test must fire; when it did not, no probe verdict can pass. */
  readonly selfTest: "fired" | "did not fire";
  /** Items whose source changed; reported, not failed. */
  readonly invalidItems: readonly string[];
  /** Topics with fewer than 10 answerable questions, judged together. */
  readonly pooledTopics: readonly string[];
}
