import { gateLabel } from "../../core/judge/setting.ts";
import { printable } from "../../core/printable.ts";
import type { RolloutReport } from "../../core/evidence/report.ts";

function escape(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
  };
  const isAllowed = (sign: string) => sign >= " " || sign === "\n" || sign === "\t";
  // Control characters are not allowed in XML at all, not even escaped.
  const readable = [...printable(text)].map((sign) => (isAllowed(sign) ? sign : " ")).join("");
  return readable.replace(/[&<>"']/g, (sign) => names[sign] ?? "");
}

/** A report as JUnit XML: one test case a gate and stage; what could not be measured is skipped, not passed. */
export function reportJunit(report: RolloutReport): string {
  const cases = report.verdicts.map(({ stageIndex, verdict }) => {
    const head = `    <testcase classname="${escape(`${report.rolloutId}.stage-${stageIndex}`)}" name="${escape(gateLabel(verdict))}"`;
    if (verdict.kind === "pass") return `${head}/>`;
    const tag = verdict.kind === "fail" ? "failure" : "skipped";
    return `${head}>\n      <${tag} message="${escape(verdict.reason)}"/>\n    </testcase>`;
  });
  const count = (kind: (kind: string) => boolean) => report.verdicts.filter(({ verdict }) => kind(verdict.kind)).length;
  const failures = count((kind) => kind === "fail");
  const skipped = count((kind) => kind !== "fail" && kind !== "pass");
  const totals = `tests="${report.verdicts.length}" failures="${failures}" skipped="${skipped}"`;
  const suite = `  <testsuite name="${escape(report.rolloutId)}" ${totals} time="${report.durationMs / 1_000}">`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${totals}>`,
    suite,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}
