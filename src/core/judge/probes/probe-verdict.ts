import type { ProbeReport } from "../../measure/report.ts";
import type { Verdict, VerdictKind } from "../../verdict.ts";

/** Share of failed runs above which a report decides nothing. @source definitions.md §2 */
const ERRORS_HOLD = 0.02;

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

/**
 * Why this report can decide nothing, as the verdict every probe gate gives then; null when it can. A fail needs no
 * such care: harm that is proven on the runs there are stays proven.
 */
export function undecidable(report: ProbeReport, gate: string): Verdict | null {
  const { stable, candidate } = report.arms;
  const blank = { estimate: null, threshold: null };
  if (candidate.runs === 0)
    return probeVerdict(report, gate, "no-data", { ...blank, reason: "no probe run of the candidate" });
  if (report.selfTest !== "fired") {
    const reason = "the decoy self-test did not fire: this set could not see a wrong answer";
    return probeVerdict(report, gate, "error", { ...blank, reason, needs: "a gold set that tells right from wrong" });
  }
  for (const [arm, answers] of [
    ["stable", stable],
    ["candidate", candidate],
  ] as const) {
    if (answers === null || answers.runs === 0 || answers.errors / answers.runs <= ERRORS_HOLD) continue;
    const reason = `${answers.errors} of ${answers.runs} probe runs of ${arm} failed (more than ${ERRORS_HOLD * 100} %)`;
    return probeVerdict(report, gate, "inconclusive", { ...blank, reason, needs: "runs that get an answer" });
  }
  return null;
}
