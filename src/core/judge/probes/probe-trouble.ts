import type { ByArm } from "../../arm.ts";
import type { ArmReport, ProbeReport } from "../../measure/report.ts";
import { describeErrorClass } from "../../window/error-class.ts";

/** Share of failed runs above which a report decides nothing. @source definitions.md §2 */
const ERRORS_HOLD = 0.02;

interface Counted {
  readonly runs: number;
  readonly errors: number;
  readonly classes: Readonly<Record<string, number>>;
}

function counted(arms: readonly ArmReport[]): Counted {
  const classes: Record<string, number> = {};
  for (const { errorClasses } of arms) {
    for (const [name, count] of Object.entries(errorClasses)) classes[name] = (classes[name] ?? 0) + count;
  }
  const sum = (value: (arm: ArmReport) => number) => arms.reduce((total, arm) => total + value(arm), 0);
  return { runs: sum((arm) => arm.runs), errors: sum((arm) => arm.errors), classes };
}

/** "300 of 300 probes answered 401", or the commonest ways where they failed in several. */
function describe(whose: string, { runs, errors, classes }: Counted): string {
  const ways = Object.entries(classes).sort(([, a], [, b]) => b - a);
  const [only] = ways;
  if (only !== undefined && ways.length === 1) {
    return `${errors} of ${runs} probes${whose} ${describeErrorClass(only[0])}`;
  }
  const shown = ways.slice(0, 3).map(([name, count]) => `${count} ${describeErrorClass(name)}`);
  return `${errors} of ${runs} probes${whose} failed${shown.length === 0 ? "" : `: ${shown.join(", ")}`}`;
}

/** How the probes of one arm failed, in the words of what failed: "150 of 150 probes of the candidate answered 503". */
export function describeFailures(arm: "stable" | "candidate", report: ArmReport): string {
  return describe(arm === "stable" ? " of stable" : " of the candidate", counted([report]));
}

/** Why too few runs got an answer for a report to decide anything; null when enough did. */
export function unansweredProbes({ arms: { stable, candidate } }: ProbeReport): string | null {
  const isOver = (arm: ArmReport | null) => arm !== null && arm.runs > 0 && arm.errors / arm.runs > ERRORS_HOLD;
  const limit = `at most ${ERRORS_HOLD * 100} % may fail`;
  if (stable !== null && isOver(stable) && isOver(candidate)) {
    return `${describe("", counted([stable, candidate]))}, on both arms; ${limit}`;
  }
  if (stable !== null && isOver(stable)) return `${describeFailures("stable", stable)}; ${limit}`;
  return isOver(candidate) ? `${describeFailures("candidate", candidate)}; ${limit}` : null;
}

/** Why an arm's answers say nothing: all of them break the contract, and how. Null when one could be read. */
export function unreadableAnswers({ arms: { stable, candidate } }: ProbeReport): string | null {
  for (const [whose, arm] of [
    ["stable", stable],
    ["the candidate", candidate],
  ] as const) {
    if (arm === null || arm.schemaViolations === 0 || arm.schemaViolations + arm.errors < arm.runs) continue;
    return `${commonestViolation(arm) ?? "the contract is broken"} in all ${arm.schemaViolations} answers of ${whose}`;
  }
  return null;
}

/**
 * Why the gold set cannot judge these answers: no arm returned any of its sections, so ids are spelt differently or it
 * is the set of another corpus. Null when it can, or when nothing was answered.
 */
export function unfitGold({ gold, arms }: ProbeReport): string | null {
  const { stable, candidate } = gold.unseen;
  const isUnseen = gold.sections > 0 && Math.min(candidate.count, stable?.count ?? gold.sections) === gold.sections;
  const hasAnswers = arms.candidate.measuredQuestions > 0 || (arms.stable?.measuredQuestions ?? 0) > 0;
  if (!isUnseen || !hasAnswers) return null;
  const [example] = candidate.first;
  const named = example === undefined ? "" : `, such as ${example.doc} ${example.section}`;
  const whom = stable === null ? "those that were returned" : "the sections stable returned, nor the candidate";
  return `0 of ${gold.sections} gold ids are among ${whom}${named}`;
}

/** Gold that neither arm found, as a clause to add to what was measured with it; empty when there is none. */
export function unseenClause({ gold }: ProbeReport): string {
  const { stable, candidate } = gold.unseen;
  if (stable === null || stable.count === 0 || candidate.count === 0) return "";
  const onCandidate = new Set(candidate.first.map(({ doc, section }) => `${doc} ${section}`));
  const both = stable.first.map(({ doc, section }) => `${doc} ${section}`).filter((name) => onCandidate.has(name));
  if (both.length === 0) return "";
  const least = Math.min(stable.count, candidate.count);
  const shown = both.slice(0, 3).join(", ");
  return `; neither arm ever returned ${shown}${least > 3 ? " and others" : ""} (stable misses ${stable.count} of ${gold.sections} gold sections)`;
}

/** The commonest way answers of an arm break the contract; null when none does or it was not told. */
export function commonestViolation({ failures }: ArmReport): string | null {
  return failures.find(({ kind }) => kind === "schema-violation")?.what ?? null;
}

/** Answers that came, by arm: runs without failed ones. */
export function answeredRuns({ arms: { stable, candidate } }: ProbeReport): ByArm<number> {
  const answered = (arm: ArmReport | null) => (arm === null ? 0 : arm.runs - arm.errors);
  return { stable: answered(stable), candidate: answered(candidate) };
}
