import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "../../core/canonical-json.ts";
import { suggestion } from "../../core/did-you-mean.ts";
import { buildReport, type ReportSource, type RolloutReport } from "../../core/evidence/report.ts";
import { CliError } from "../cli-error.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { reportGithub } from "../format/report-github.ts";
import { reportJunit } from "../format/report-junit.ts";
import { reportMarkdown } from "../format/report-markdown.ts";
import type { Terminal } from "../terminal.ts";

function reportJson(report: RolloutReport): string {
  const text = canonicalJson(report as unknown as Json);
  const digest = createHash("sha256").update(text).digest("hex");
  return JSON.stringify({ digest: `sha256:${digest}`, report }, null, 2);
}

const FORMATS: Readonly<Record<string, (report: RolloutReport) => string>> = {
  md: reportMarkdown,
  json: reportJson,
  junit: reportJunit,
  github: reportGithub,
};

/** The report of a rollout, from what the controller keeps of it. */
export async function readReport(rolloutId: string, client: Pick<ControllerClient, "get">): Promise<RolloutReport> {
  const [journal, { reports }] = await Promise.all([
    client.get("/v1/rollouts/{id}/journal", { id: rolloutId }),
    client.get("/v1/verdicts/{id}", { id: rolloutId }),
  ]);
  const { plan, cause, verdicts = [], observations } = journal;
  const entries = thisGeneration(journal.entries);
  if (entries.length === 0)
    throw new CliError(EXIT.toolError, `rollout ${rolloutId} has decided nothing yet; try again when it runs`);
  const { requests, failures } = observations.totals;
  return buildReport({ plan, entries, cause, verdicts, reports: ofGeneration(reports, plan), requests, failures });
}

/** Probe reports of the current generation; those of earlier ones are kept beside them. */
export function ofGeneration<R extends { readonly orderId: string }>(
  reports: readonly R[],
  { rolloutId, generation }: Pick<ReportSource["plan"], "rolloutId" | "generation">,
): readonly R[] {
  return reports.filter(({ orderId }) => orderId.startsWith(`${rolloutId}/${generation}/`));
}

/** Entries since the current generation began; earlier ones were of other traffic, and are over. */
function thisGeneration(entries: ReportSource["entries"]): ReportSource["entries"] {
  const first = entries.findLastIndex(({ event }) => event.kind === "started");
  return entries.slice(Math.max(0, first)).map((entry, index) => ({ ...entry, index }));
}

/** `sluice report ROLLOUT --format md|json|junit|github`: the evidence, the same bytes every time. */
export async function report(
  rolloutId: string,
  format: string,
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const write = FORMATS[format];
  if (write === undefined)
    throw new CliError(EXIT.badUsage, `unknown format "${format}"; ${suggestion(format, Object.keys(FORMATS))}`);
  terminal.document(write(await readReport(rolloutId, client)).trimEnd());
  return EXIT.ok;
}
