import type { Verdict } from "../../verdict.ts";
import { mcnemar } from "../../stats/mcnemar.ts";
import type { ProbeReport } from "../../measure/report.ts";
import type { StageView } from "../block.ts";
import { describeFailures } from "../probes/probe-trouble.ts";
import { probeVerdict, unanswered } from "../probes/probe-verdict.ts";

const NAME = "error-rate";
/** What stops here is no request of a user. */
export const PROBE_ERRORS = "probe_errors";

/** Share of failed runs that fails a candidate by itself, when stable has less. @source definitions.md §2 */
const ERRORS_FAIL = 0.05;

/**
 * The error gate before the first user: probe runs are asked of both arms in pairs, so runs that fail on the candidate
 * alone are evidence like failed requests are. Speaks under the name of the traffic gate, which takes over with the
 * first request.
 * @source definitions.md §2; exact McNemar test on the discordant runs
 */
export function judgeProbeErrors(
  report: ProbeReport,
  _stage: StageView,
  { alpha }: { readonly alpha: number },
): readonly Verdict[] {
  const { stable, candidate } = report.arms;
  if (candidate.runs === 0) return [];
  const estimate = candidate.errors / candidate.runs;
  const only = report.paired?.errorsOnly ?? { stable: 0, candidate: candidate.errors };
  const isWorse = mcnemar({ lost: only.candidate, gained: only.stable }, "worse") <= alpha;
  const isOver = estimate > ERRORS_FAIL && (stable === null || stable.errors / Math.max(1, stable.runs) < estimate / 2);
  const onStable = stable === null ? "" : `; ${stable.errors} of ${stable.runs} of stable`;
  const ofCandidate =
    candidate.errors === 0
      ? `0 of ${candidate.runs} probes of the candidate failed`
      : describeFailures("candidate", candidate);
  const finding = { estimate, threshold: ERRORS_FAIL, condition: PROBE_ERRORS, reason: `${ofCandidate}${onStable}` };
  if (isOver) return [probeVerdict(report, NAME, "fail", finding)];
  if (isWorse) {
    // The pairs decided and no limit did: beside one that the estimate keeps, the verdict would contradict itself.
    const reason = `${finding.reason}: more than chance allows`;
    return [probeVerdict(report, NAME, "fail", { ...finding, threshold: null, reason })];
  }
  const blocked = unanswered(report, NAME);
  return [blocked ?? probeVerdict(report, NAME, "pass", finding)];
}
