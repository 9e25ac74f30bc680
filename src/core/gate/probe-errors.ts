import type { Verdict } from "../verdict.ts";
import { mcnemar } from "../stats/mcnemar.ts";
import type { ProbeGate } from "./gate.ts";
import type { ErrorRateOptions } from "./options.ts";
import { probeVerdict, undecidable } from "./probe-verdict.ts";

/** Share of failed runs that fails a candidate by itself, when stable has less. @source definitions.md §2 */
const ERRORS_FAIL = 0.05;

/**
 * The error gate before the first user: probe runs are asked of both arms in pairs, so runs that fail on the candidate
 * alone are evidence like failed requests are. Speaks under the name of the traffic gate, which takes over with the
 * first request.
 * @source definitions.md §2; exact McNemar test on the discordant runs
 */
export const probeErrors: ProbeGate<ErrorRateOptions> = {
  kind: "probe",
  name: "error-rate",
  decide(report, _stage, { alpha }): readonly Verdict[] {
    const { stable, candidate } = report.arms;
    if (candidate.runs === 0) return [];
    const estimate = candidate.errors / candidate.runs;
    const only = report.paired?.errorsOnly ?? { stable: 0, candidate: candidate.errors };
    const isWorse = mcnemar({ lost: only.candidate, gained: only.stable }, "worse") <= alpha;
    const isOver =
      estimate > ERRORS_FAIL && (stable === null || stable.errors / Math.max(1, stable.runs) < estimate / 2);
    const found = `${candidate.errors} of ${candidate.runs} probe runs failed on the candidate, ${stable?.errors ?? 0} on stable`;
    const finding = { estimate, threshold: ERRORS_FAIL, reason: found };
    if (isWorse || isOver) return [probeVerdict(report, "error-rate", "fail", finding)];
    const blocked = undecidable(report, "error-rate");
    return [blocked ?? probeVerdict(report, "error-rate", "pass", finding)];
  },
};
