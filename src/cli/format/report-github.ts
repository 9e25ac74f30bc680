import { gateLabel } from "../../core/judge/setting.ts";
import type { RolloutReport } from "../../core/evidence/report.ts";
import { printableLine } from "../../core/printable.ts";
import { reportMarkdown } from "./report-markdown.ts";

/** Data of a workflow command; these four signs would end it. @source GitHub Actions, "Workflow commands" */
function data(text: string): string {
  return printableLine(text).replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

/** Annotations a step shows beside its log: one a verdict that did not pass, at most the ten GitHub shows. */
function githubAnnotations(report: RolloutReport): readonly string[] {
  return report.verdicts
    .filter(({ verdict }) => verdict.kind !== "pass")
    .map(({ stageIndex, verdict }) => {
      const level = verdict.kind === "fail" ? "error" : "notice";
      return `::${level} title=${data(`${gateLabel(verdict)} at stage ${stageIndex}`).replace(/[:,]/g, " ")}::${data(verdict.reason)}`;
    })
    .slice(0, 10);
}

/** Annotations, then the Markdown for the job summary. */
export function reportGithub(report: RolloutReport): string {
  return [...githubAnnotations(report), reportMarkdown(report)].join("\n");
}
