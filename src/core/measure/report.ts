import type { ByArm } from "../arm.ts";

/** An estimate with its interval, same unit. */
export interface Interval {
  readonly estimate: number;
  /** Two-sided 90 %, so that each end is a one-sided 95 % bound. */
  readonly ci: readonly [low: number, high: number];
}

export type CoverageLevel = "L1" | "L2" | "L3";

/** λ states of questions (definitions.md §5). `unknown`: fewer than 4 valid runs. */
export type LambdaState = "→" | "=" | "<>" | "←" | "×" | "unknown";

export interface TopicCoverage {
  readonly mean: number;
  readonly ci: readonly [low: number, high: number];
  readonly questions: number;
}

/** What the gold set said about one arm. Question is the unit: its runs are averaged before any statistic. */
export interface ArmReport {
  readonly runs: number;
  /** Runs without a usable answer (timeout, 5xx, cut body); counted, never dropped. */
  readonly errors: number;
  readonly schemaViolations: number;
  readonly deltaS: {
    readonly median: number;
    readonly p95: number;
    /** Share of questions at 0.60 or more. */
    readonly shareRisk: number;
    readonly scale: "calibrated" | "raw";
    readonly embedder: string;
  };
  readonly deltaSAnchor: { readonly median: number; readonly p95: number };
  readonly coverage: Interval & {
    readonly level: CoverageLevel;
    readonly byTopic: Readonly<Record<string, TopicCoverage>>;
  };
  readonly lambda: {
    readonly convergentShare: number;
    readonly flipRate: number;
    readonly maxFlipsPerQuestion: number;
    readonly states: Readonly<Record<LambdaState, number>>;
  };
  readonly citationHit: number;
  readonly hitAtK: number;
  readonly mrr: number;
  readonly ndcgAtK: number;
}

/** A question whose answer differs between the arms. */
export interface DiscordantQuestion {
  readonly id: string;
  readonly topic: string;
  readonly stable: number;
  readonly candidate: number;
}

/** Everything the probe gates read. Measurements only: thresholds belong to the gates. */
export interface ProbeReport {
  readonly tier: "smoke" | "full";
  readonly questions: number;
  readonly repeats: number;
  readonly goldDigest: string;
  readonly seed: number;
  /** `stable` is null when only one target was asked. */
  readonly arms: { readonly stable: ArmReport | null; readonly candidate: ArmReport };
  /** Paired by question, candidate - stable; null when only one target was asked. */
  readonly paired: {
    readonly coverage: Interval;
    readonly deltaS: Interval & { readonly median: number; readonly p95: number };
    readonly flipRate: Interval;
    readonly convergentShare: Interval;
    /** Runs that failed on exactly one arm, for the exact test. */
    readonly errorsOnly: ByArm<number>;
  } | null;
  /** Smallest drop each metric could have shown at power 0.8, by metric. */
  readonly detectableDrop: Readonly<Record<string, number>>;
  readonly discordant: readonly DiscordantQuestion[];
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
  /** Topics with fewer than 10 questions, judged together. */
  readonly pooledTopics: readonly string[];
}
