import type { ProbeReport } from "../core/measure/report.ts";

/** Two regions of one release, asked the same questions. */
export interface RegionQuestions {
  /** Absolute path of the gold set. */
  readonly set: string;
  readonly k: number;
  /** Where each answers. */
  readonly of: string;
  readonly against: string;
}

/** One question that two regions answer otherwise: its λ signature in each, cited sections and outcome. */
interface UnequalAnswer {
  readonly question: string;
  readonly of: string;
  readonly against: string;
}

/** Asks regions gold questions at their own addresses. It only reads. Rejects with DriverError. */
export interface RegionProbe {
  /** The whole set: `against` is the report's stable, `of` its candidate. */
  run(questions: RegionQuestions, signal: AbortSignal): Promise<ProbeReport>;
  /** The first `count` questions of the set, once each: how many were asked, and which are answered otherwise. */
  compare(
    questions: RegionQuestions & { readonly count: number },
    signal: AbortSignal,
  ): Promise<{ readonly asked: number; readonly unequal: readonly UnequalAnswer[] }>;
}
