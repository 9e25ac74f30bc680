import { unmeasured, type Verdict } from "../../verdict.ts";
import { defineGate, type ProbePart } from "../definition.ts";
import { number, type OptionsOf, SHARE } from "../fields.ts";
import { percent } from "../traffic/traffic-verdict.ts";

const NAME = "schema-violation";

const OPTIONS = {
  maxShare: number(SHARE, {
    says: "the share of probe answers that may break the contract",
    fallback: 0.005,
    stricter: "lower",
  }),
};

const judge: ProbePart<OptionsOf<typeof OPTIONS>> = (report, _stage, { maxShare }) => {
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
};

/**
 * Answers that break the response contract. A hard rule: any share above `maxShare` fails, no statistics, because a
 * client that parses the answer breaks on the first one.
 * @source decision-policy.md "Hard rules" (SL-6, ST-1)
 */
export const schemaViolation = defineGate({
  name: NAME,
  reads: "probe",
  counts: "answers",
  says: "Do the candidate's answers keep the response contract?",
  unit: "share of probe answers",
  from: "probes",
  options: OPTIONS,
  conditions: {
    schema_violation: {
      means: "breaks the response contract",
      lookAt: "the response schema and the tool contracts of the new release",
    },
  },
  probe: judge,
});
