import type { ProbeReport } from "../../measure/report.ts";
import type { Verdict } from "../../verdict.ts";
import type { StageView } from "../block.ts";
import { defineGate } from "../definition.ts";
import { boundAt, byShare, MODE, number, type NumberForm, type OptionsOf, SHARE } from "../fields.ts";
import { RETRIEVAL } from "./advice.ts";
import { besideLimit, goldVerdict, undecidable } from "./probe-verdict.ts";

const NAME = "delta-s";
const P95_DRIFT = "delta_s_p95_drift";
const DISTANCE: NumberForm = { kind: "number", least: 0, most: 2 };

const OPTIONS = {
  mode: MODE,
  limit: number(DISTANCE, {
    says: "the calibrated median the candidate must not exceed, when stable itself meets it",
    fallback: 0.45,
    stricter: "lower",
  }),
  stop: number(DISTANCE, {
    says: "the calibrated median that stops the candidate, when stable's is below it",
    fallback: 0.6,
    stricter: "lower",
  }),
  driftMargin: byShare(SHARE, {
    says: "the paired drift (candidate - stable) that must be excluded before promotion",
    fallback: { under10: 0.06, under50: 0.03, from50: 0.03 },
    stricter: "lower",
  }),
  driftStop: number(SHARE, { says: "the paired drift that stops when proven", fallback: 0.03, stricter: "lower" }),
  p95DriftStop: number(SHARE, { says: "the rise of the set's p95 that stops", fallback: 0.15, stricter: "lower" }),
};
type DeltaSOptions = OptionsOf<typeof OPTIONS>;

const shown = (value: number) => value.toFixed(2);

/** `lexical` of `lexical/1:8192d:fit-2fc15d45`: the whole name is in the probe's report. */
function kindOf(embedder: string): string {
  return embedder.split(/[/:]/, 1)[0] ?? embedder;
}

/** Harm: the set's median beyond the stop limit that stable keeps, or a proven paired drift, or a jump of the p95. */
function harm(report: ProbeReport, options: DeltaSOptions): Verdict | null {
  const { stable, candidate } = report.arms;
  const { median, p95 } = candidate.deltaS;
  if (median >= options.stop && (stable === null || stable.deltaS.median < options.stop)) {
    const reason = `median delta_s ${shown(median)} reaches ${options.stop}`;
    return goldVerdict(report, NAME, "fail", { estimate: median, threshold: options.stop, reason });
  }
  if (stable === null || report.paired === null) return null;
  const { estimate, ci } = report.paired.deltaS;
  if (ci[0] > options.driftStop) {
    const reason = `delta_s drifted by ${shown(estimate)} (${shown(ci[0])}..${shown(ci[1])}): a drift beyond ${options.driftStop} is proven`;
    return goldVerdict(report, NAME, "fail", { estimate, interval: ci, threshold: options.driftStop, reason });
  }
  const rise = p95 - stable.deltaS.p95;
  return rise > options.p95DriftStop ? p95Drift(report, rise, options) : null;
}

/** The page's reading: medians and drifts as they are, against the limits. */
function decideLiteral(report: ProbeReport, stage: StageView, options: DeltaSOptions): Verdict {
  const { stable, candidate } = report.arms;
  const { median, p95 } = candidate.deltaS;
  const rise = stable === null ? 0 : p95 - stable.deltaS.p95;
  const drift = report.paired?.deltaS.median ?? 0;
  const margin = boundAt(options.driftMargin, stage.candidateBp);
  const found = `median delta_s ${shown(median)}, drift ${shown(drift)}, p95 risen by ${shown(rise)}`;
  const finding = { estimate: median, threshold: options.limit, reason: found };
  if (median >= options.stop) {
    const reason = `${found}: the median reaches ${options.stop}`;
    return goldVerdict(report, NAME, "fail", { ...finding, threshold: options.stop, reason });
  }
  if (rise > options.p95DriftStop) return p95Drift(report, rise, options);
  const blocked = undecidable(report, NAME);
  if (blocked !== null) return blocked;
  const isNear = median <= options.limit;
  const isAsBefore = Math.abs(drift) <= margin;
  if (isNear && isAsBefore) return goldVerdict(report, NAME, "pass", finding);
  const reason = `${found}: at most ${options.limit} and a drift within ${margin} are wanted`;
  return goldVerdict(report, NAME, "inconclusive", { ...finding, reason, needs: "a person, or more questions" });
}

/** Nothing was answered, so the candidate's distances are placeholders and no harm can be read from them. */
function unanswered(report: ProbeReport): Verdict {
  const finding = { estimate: null, threshold: null, reason: "no question was answered on the candidate" };
  return undecidable(report, NAME) ?? goldVerdict(report, NAME, "no-data", { ...finding, needs: "answers" });
}

function p95Drift(report: ProbeReport, rise: number, { p95DriftStop }: DeltaSOptions): Verdict {
  const reason = `the p95 of delta_s rose by ${shown(rise)}, more than ${p95DriftStop}`;
  const finding = { estimate: rise, threshold: p95DriftStop, condition: P95_DRIFT, reason };
  return goldVerdict(report, NAME, "fail", finding);
}

function judge(report: ProbeReport, stage: StageView, options: DeltaSOptions): readonly Verdict[] {
  const { calibration, arms, paired } = report;
  if (arms.candidate.measuredQuestions === 0) return [unanswered(report)];
  const blockedBefore = undecidable(report, NAME);
  if (!calibration.usable && blockedBefore !== null) return [blockedBefore];
  if (!calibration.usable) {
    const reason = `delta_s is not calibratable: ${calibration.reason ?? "gold and decoy are too close"}`;
    const needs = "a corpus, or a gold set whose sections stable returns";
    return [goldVerdict(report, NAME, "error", { estimate: null, threshold: null, reason, needs })];
  }
  if (options.mode === "literal") return [decideLiteral(report, stage, options)];
  const blocked = harm(report, options) ?? undecidable(report, NAME);
  if (blocked !== null) return [blocked];
  const { median } = arms.candidate.deltaS;
  const margin = boundAt(options.driftMargin, stage.candidateBp);
  if (paired !== null && paired.deltaS.ci[1] > margin) {
    const { estimate, ci } = paired.deltaS;
    const reason = `delta_s drifted by ${shown(estimate)} (${shown(ci[0])}..${shown(ci[1])}): a drift of ${margin} is not excluded`;
    return [
      goldVerdict(report, NAME, "inconclusive", {
        estimate,
        interval: ci,
        threshold: margin,
        reason,
        needs: "more questions",
      }),
    ];
  }
  const doesLimitBind = arms.stable === null || arms.stable.deltaS.median <= options.limit;
  const threshold = doesLimitBind ? options.limit : margin;
  if (doesLimitBind && median > options.limit) {
    const beside = arms.stable === null ? "" : ", which stable meets";
    const reason = `median delta_s ${besideLimit(median, options.limit)} is over ${options.limit}${beside}`;
    return [
      goldVerdict(report, NAME, "inconclusive", {
        estimate: median,
        threshold,
        reason,
        needs: "a person, or more questions",
      }),
    ];
  }
  const room = options.limit - median;
  const near = room < margin ? `, ${shown(room)} from it, and a drift of ${margin} is let through` : "";
  const basis = doesLimitBind
    ? `at most ${options.limit}${near}`
    : `stable itself is over ${options.limit} with ${besideLimit(arms.stable?.deltaS.median ?? median, options.limit)}, so the paired drift decides`;
  const found = `median delta_s ${besideLimit(median, options.limit)}`;
  const reason = `${found} (${basis}; measured by the ${kindOf(arms.candidate.deltaS.embedder)} embedder)`;
  // The numbers are those of the rule that decided: the median against its limit, or the drift against its margin.
  const decided =
    doesLimitBind || paired === null
      ? { estimate: median, interval: null }
      : { estimate: paired.deltaS.estimate, interval: paired.deltaS.ci };
  return [goldVerdict(report, NAME, "pass", { ...decided, threshold, reason })];
}

/**
 * Semantic distance between questions and what was retrieved. The absolute limit binds when stable itself meets it;
 * otherwise the gate uses the paired drift alone and says so. It never passes a release by itself: coverage has a veto.
 * @source definitions.md §3; decision-policy.md "Margins" (GQ-1, GQ-3, GQ-4, ST-1)
 */
export const deltaS = defineGate({
  name: NAME,
  reads: "probe",
  counts: "questions",
  says: "Is what the candidate retrieves as near to the questions as what stable retrieves?",
  unit: "semantic distance ΔS",
  from: "probes",
  options: OPTIONS,
  conditions: {
    delta_s_block: { means: "retrieves text that is further from the questions than it may be", lookAt: RETRIEVAL },
    [P95_DRIFT]: { means: "answers its worst questions from text further away than stable does", lookAt: RETRIEVAL },
  },
  probe: judge,
});
