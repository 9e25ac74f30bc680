import { unmeasured, type Verdict } from "../verdict.ts";
import type { ProbeGate } from "./gate.ts";
import type { SchemaViolationOptions } from "./options.ts";
import { percent } from "./traffic-verdict.ts";

const NAME = "schema-violation";

/**
 * Answers that break the response contract. A hard rule: any share above `maxShare` fails, no statistics, because a
 * client that parses the answer breaks on the first one.
 * @source decision-policy.md "Hard rules" (SL-6, ST-1)
 */
export const schemaViolation: ProbeGate<SchemaViolationOptions> = {
  kind: "probe",
  name: NAME,
  decide(report, _stage, { maxShare }): readonly Verdict[] {
    const { stable, candidate } = report.arms;
    if (candidate.runs === 0) return [unmeasured(NAME, "no-data", "no probe run of the candidate")];
    const estimate = candidate.schemaViolations / candidate.runs;
    const kind = estimate > maxShare ? "fail" : "pass";
    const reason = `${candidate.schemaViolations} of ${candidate.runs} answers break the contract (at most ${percent(maxShare)})`;
    const samples = { stable: stable?.runs ?? 0, candidate: candidate.runs };
    const verdict: Verdict = {
      gate: NAME,
      kind,
      estimate,
      interval: null,
      samples,
      threshold: maxShare,
      alpha: null,
      eValue: null,
      reason,
      needs: null,
    };
    return [verdict];
  },
};
