import { gateLabel } from "../../core/judge/setting.ts";
import type { RolloutReport } from "../../core/evidence/report.ts";
import { isFinal } from "../../core/rollout/rollout.ts";
import { markdownText as cell } from "../../core/printable.ts";
import { formatDurationMs } from "../../spec/duration.ts";

function number(value: number | null): string {
  return value === null ? "-" : String(Number(value.toPrecision(4)));
}

/** A report as Markdown, for people and pull requests. */
export function reportMarkdown(report: RolloutReport): string {
  const { requests, failures } = report;
  const rows = report.verdicts.map(({ stageIndex, verdict }) => {
    const samples = `${verdict.samples.stable} / ${verdict.samples.candidate}`;
    const cells = [
      String(stageIndex),
      gateLabel(verdict),
      verdict.kind,
      number(verdict.estimate),
      number(verdict.threshold),
      samples,
      verdict.reason,
    ];
    return `| ${cells.map(cell).join(" | ")} |`;
  });
  const probes = report.probes.flatMap(({ orderId, report: probe }) => {
    const { stable, candidate } = probe.arms;
    const row = (name: string, left: number | undefined, right: number) =>
      `| ${name} | ${number(left ?? null)} | ${number(right)} |`;
    const discordant = probe.discordant.map(({ id, topic }) => `${id} (${topic})`);
    return [
      `### Probes ${cell(orderId)}`,
      "",
      `${probe.questions} questions, ${probe.repeats} repetitions, tier ${probe.tier}, gold \`${probe.goldDigest}\``,
      "",
      "| metric | stable | candidate |",
      "|---|---|---|",
      row("coverage", stable?.coverage.estimate, candidate.coverage.estimate),
      row("delta_s median", stable?.deltaS.median, candidate.deltaS.median),
      row("convergent share", stable?.lambda.convergentShare, candidate.lambda.convergentShare),
      row("flip rate", stable?.lambda.flipRate, candidate.lambda.flipRate),
      row("failed runs", stable?.errors, candidate.errors),
      "",
      discordant.length === 0
        ? "No question differs between the arms."
        : `Questions that differ: ${cell(discordant.join(", "))}`,
      "",
    ];
  });
  return [
    `# Rollout ${report.rolloutId}, generation ${report.generation}: ${report.outcome}`,
    "",
    `Service ${cell(report.service)}, ${cell(report.releases.stable)} to ${cell(report.releases.candidate)}. ${isFinal({ phase: report.outcome }) ? "Took" : "Runs, so far"} ${formatDurationMs(report.durationMs)}.`,
    `Document \`${report.documentDigest}\`.`,
    ...(report.cause === null
      ? []
      : ["", `**Cause:** ${report.causeGate === null ? "" : `${report.causeGate}: `}${cell(report.cause)}`]),
    ...(report.lookAt === null ? [] : ["", `**Look at:** ${cell(report.lookAt)}`]),
    "",
    `User requests: ${requests.stable} on stable (${failures.stable} failed), ${requests.candidate} on the candidate (${failures.candidate} failed).`,
    "",
    "## Verdicts",
    "",
    "| stage | gate | verdict | estimate | threshold | samples | finding |",
    "|---|---|---|---|---|---|---|",
    ...rows,
    "",
    ...(probes.length === 0 ? [] : ["## Probes", "", ...probes]),
    "## Timeline",
    "",
    "| after | stage | what |",
    "|---|---|---|",
    ...report.timeline.map(
      ({ atMs, stageIndex, text }) => `| ${(atMs / 1_000).toFixed(3)} s | ${stageIndex} | ${cell(text)} |`,
    ),
    "",
  ].join("\n");
}
