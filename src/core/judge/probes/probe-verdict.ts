import type { ProbeReport } from "../../measure/report.ts";
import type { Verdict, VerdictKind } from "../../verdict.ts";
import { unansweredProbes, unfitGold, unreadableAnswers } from "./probe-trouble.ts";

/** A difference of two shares may miss its margin by this much: 0.8 - 0.7 is 0.10000000000000009. */
export const ROUNDING = 1e-9;

/** A number in two digits, or in as many more as tell it from a limit that it only rounds to. */
export function besideLimit(value: number, limit: number): string {
  const digits = [2, 3, 4, 5].find((count) => value === limit || Number(value.toFixed(count)) !== limit) ?? 6;
  return value.toFixed(digits);
}

interface Finding {
  readonly estimate: number | null;
  readonly interval?: readonly [number, number] | null;
  readonly threshold: number | null;
  readonly topic?: string;
  readonly condition?: string;
  readonly reason: string;
  readonly needs?: string | null;
}

/** A verdict of a probe gate; samples are questions. */
export function probeVerdict(report: ProbeReport, gate: string, kind: VerdictKind, finding: Finding): Verdict {
  return {
    gate,
    ...(finding.topic === undefined ? {} : { topic: finding.topic }),
    kind,
    estimate: finding.estimate,
    interval: finding.interval ?? null,
    samples: { stable: report.arms.stable === null ? 0 : report.questions, candidate: report.questions },
    threshold: finding.threshold,
    alpha: null,
    eValue: null,
    reason: finding.reason,
    needs: finding.needs ?? null,
    ...(finding.condition === undefined ? {} : { condition: finding.condition }),
  };
}

/** A verdict over gold: samples are the questions that have some and got an answer. */
export function goldVerdict(report: ProbeReport, gate: string, kind: VerdictKind, finding: Finding): Verdict {
  const { stable, candidate } = report.arms;
  const samples = { stable: stable?.measuredQuestions ?? 0, candidate: candidate.measuredQuestions };
  return { ...probeVerdict(report, gate, kind, finding), samples };
}

const BLANK = { estimate: null, threshold: null } as const;

/** Too few runs got an answer, as the verdict of a probe gate; null when enough did. */
export function unanswered(report: ProbeReport, gate: string): Verdict | null {
  if (report.arms.candidate.runs === 0)
    return probeVerdict(report, gate, "no-data", { ...BLANK, reason: "no probe run of the candidate" });
  const reason = unansweredProbes(report);
  if (reason === null) return null;
  return probeVerdict(report, gate, "inconclusive", { ...BLANK, reason, needs: "runs that get an answer" });
}

/**
 * Why this report can decide nothing, as the verdict every gate over answers gives then, the nearest cause first; null
 * when it can. A fail needs no such care: harm that is proven on the runs there are stays proven.
 */
export function undecidable(report: ProbeReport, gate: string): Verdict | null {
  const silent = unanswered(report, gate);
  if (silent !== null) return silent;
  const unreadable = unreadableAnswers(report);
  if (unreadable !== null) {
    const needs = "answers of the documented shape, or a mapping that fits them";
    return probeVerdict(report, gate, "no-data", { ...BLANK, reason: unreadable, needs });
  }
  const unfit = unfitGold(report);
  if (unfit !== null) {
    const needs = "a gold set with the ids the service returns; compare them with: sluice doctor FILE";
    return probeVerdict(report, gate, "error", { ...BLANK, reason: unfit, needs });
  }
  if (report.selfTest !== "fired") {
    const reason = "the decoy self-test did not fire: this set could not see a wrong answer";
    return probeVerdict(report, gate, "error", { ...BLANK, reason, needs: "a gold set that tells right from wrong" });
  }
  return null;
}
