import type { ProbeReport } from "../../measure/report.ts";
import { defineGate, type ProbePart } from "../definition.ts";
import { number, type OptionsOf, SHARE } from "../fields.ts";
import { percent } from "../traffic/traffic-verdict.ts";
import { answeredRuns, commonestViolation, unansweredProbes } from "./probe-trouble.ts";
import { probeVerdict } from "./probe-verdict.ts";

const NAME = "schema-violation";

const OPTIONS = {
  maxShare: number(SHARE, {
    says: "the share of probe answers that may break the contract",
    fallback: 0.005,
    stricter: "lower",
  }),
};

/** What is broken and how often: "field `citations` is missing in 150 of 150 answers of the candidate". */
function found({ arms: { stable, candidate } }: ProbeReport, answered: ReturnType<typeof answeredRuns>): string {
  const what = commonestViolation(candidate) ?? "the contract is broken";
  const ofCandidate = `${candidate.schemaViolations} of ${answered.candidate} answers`;
  if (stable === null) return `${what} in ${ofCandidate}`;
  const ofStable = `${stable.schemaViolations} of ${answered.stable}`;
  const isEqual = stable.schemaViolations === candidate.schemaViolations && answered.stable === answered.candidate;
  const isOneWay = commonestViolation(stable) === commonestViolation(candidate);
  if (isEqual && isOneWay) return `${what} in ${ofCandidate} of both arms`;
  return `${what} in ${ofCandidate} of the candidate and in ${ofStable} of stable`;
}

const judge: ProbePart<OptionsOf<typeof OPTIONS>> = (report, _stage, { maxShare }) => {
  const { stable, candidate } = report.arms;
  const answered = answeredRuns(report);
  if (answered.candidate <= 0) {
    const reason = unansweredProbes(report) ?? "no probe run of the candidate";
    return [probeVerdict(report, NAME, "no-data", { estimate: null, threshold: maxShare, reason, needs: "answers" })];
  }
  const samples = { stable: stable?.runs ?? 0, candidate: candidate.runs };
  const estimate = candidate.schemaViolations / candidate.runs;
  const finding = { estimate, threshold: maxShare };
  const limit = `(at most ${percent(maxShare)})`;
  if (estimate <= maxShare) {
    const reason = `${candidate.schemaViolations} of ${answered.candidate} answers break the contract ${limit}`;
    return [{ ...probeVerdict(report, NAME, "pass", { ...finding, reason }), samples }];
  }
  const ofStable = stable === null || answered.stable <= 0 ? 0 : stable.schemaViolations / stable.runs;
  const reason = `${found(report, answered)} ${limit}`;
  if (estimate > ofStable) return [{ ...probeVerdict(report, NAME, "fail", { ...finding, reason }), samples }];
  const needs = "a mapping that fits the service, or answers of the documented shape; try: sluice doctor FILE";
  return [{ ...probeVerdict(report, NAME, "error", { ...finding, reason, needs }), samples }];
};

/**
 * Answers that break the response contract. A hard rule: any share above `maxShare` fails, no statistics, because a
 * client that parses the answer breaks on the first one. Only a candidate that breaks it more often than stable is at
 * fault: where stable breaks it as often, the contract or its mapping is not the service's, and nothing is decided.
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
