import type { DrillReport, DrillStepReport } from "../../core/drill/report.ts";
import { formatDurationMs } from "../../spec/duration.ts";

/** Where the journal's chain ends, and who signed it. */
export interface DrillChain {
  readonly head: string;
  readonly kid: string | null;
  readonly signature: string | null;
}

const PARTS = [
  ["checks", "checks_ms"],
  ["freeze", "freeze_ms"],
  ["commit", "commit_ms"],
  ["adopt", "adopt_ms"],
  ["promote", "promote_ms"],
  ["verify", "verify_ms"],
  ["decision to clean cutover", "cutover_ms"],
] as const;

const shown = (ms: number | null) => (ms === null ? "-" : formatDurationMs(ms));
const at = (ms: number | null) => (ms === null ? "-" : new Date(ms).toISOString());
const number = (value: number | null) => (value === null ? "-" : String(Math.round(value * 1_000) / 1_000));
/** A cell: no character of it makes a table, a link or HTML. */
const cell = (text: string) => text.replace(/[|\\`*_[\]<>]/g, (sign) => `\\${sign}`).replace(/\s+/g, " ");
const html = (text: string) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

function facts(report: DrillReport, { head, kid, signature }: DrillChain): readonly (readonly [string, string])[] {
  return [
    ["service", report.service],
    ["evacuated", report.evacuate],
    ["promoted", report.survivor],
    ["ended", report.phase],
    ["cause", report.cause ?? "none"],
    ["asked by", report.asked_by ?? "-"],
    ["approved by", report.approved_by.join(", ") || "nobody else was needed"],
    ["began", at(report.began_at)],
    ["last entry", at(report.ended_at)],
    ["chain", `sha256:${head}`],
    ["signed", signature === null ? "by nobody: this controller signs nothing" : `${kid} ${signature}`],
    ["accepted by", "________________ (error budget spent, name, date)"],
  ];
}

const outcome = ({ outcome: how, tries, text }: DrillStepReport) =>
  `${how}${tries > 1 ? `, try ${tries}` : ""}${text === null ? "" : `: ${text}`}`;

interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function tables(report: DrillReport): readonly Table[] {
  return [
    {
      title: "Recovery time",
      head: ["part", "took"],
      rows: PARTS.map(([name, key]) => [name, shown(report.rto[key])]),
    },
    {
      title: "Steps",
      head: ["step", "order", "from", "took", "outcome"],
      rows: report.steps.map((step) => [
        step.step,
        step.order,
        shown(step.from_ms),
        shown(step.took_ms),
        outcome(step),
      ]),
    },
    {
      title: "Checks",
      head: ["step", "check", "verdict", "found", "limit", "samples", "reason"],
      rows: report.checks.map(({ step, check, verdict, estimate, threshold, samples, reason }) => {
        return [step, check, verdict, number(estimate), number(threshold), String(samples), reason];
      }),
    },
    {
      title: "Latency by region",
      head: ["step", "of", "ms", "answers"],
      rows: report.latencies.map(({ step, of, ms, samples }) => [step, of, ms.toFixed(0), String(samples)]),
    },
  ];
}

/** The evidence as Markdown. */
export function drillMarkdown(report: DrillReport, chain: DrillChain): string {
  const row = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const blocks = tables(report).map(({ title, head, rows }) =>
    [`## ${title}`, "", row(head), row(head.map(() => "---")).replaceAll("\\", ""), ...rows.map(row)].join("\n"),
  );
  const list = facts(report, chain).map(([name, value]) => `- ${name}: ${cell(value)}`);
  return [`# Drill ${cell(report.id)}, generation ${report.generation}`, list.join("\n"), ...blocks].join("\n\n");
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}th,td{text-align:left;padding:.25rem .6rem;
border-bottom:1px solid #d5dae0;vertical-align:top}th{background:#f4f6f8}dt{font-weight:600;float:left;width:9rem}
dd{margin:0 0 .2rem 9.5rem;overflow-wrap:anywhere}.bar{fill:#3867d6}@media print{body{margin:0;max-width:none}}`;

/** How long each part of the cutover took, as bars one after another. */
function picture({ steps, rto, decided_at: decidedAt, began_at: beganAt }: DrillReport): string {
  const total = rto.cutover_ms;
  if (total === null || total === 0 || decidedAt === null || beganAt === null) return "";
  const from = decidedAt - beganAt;
  const shownSteps = steps.filter((step) => step.from_ms >= from && step.from_ms < from + total);
  const bars = shownSteps.map((step, place) => {
    const [x, width] = [((step.from_ms - from) / total) * 600, ((step.took_ms ?? 0) / total) * 600];
    const y = place * 24;
    const label = `<text x="160" y="${y + 15}" text-anchor="end">${html(step.step)}</text>`;
    const bar = `<rect class="bar" x="${(170 + x).toFixed(1)}" y="${y + 4}" width="${Math.max(1, width).toFixed(1)}" height="14"/>`;
    return `${label}${bar}<text x="${(176 + x + width).toFixed(1)}" y="${y + 15}">${shown(step.took_ms)}</text>`;
  });
  const height = shownSteps.length * 24;
  return `<svg role="img" aria-label="time of each step" viewBox="0 0 860 ${height}">${bars.join("")}</svg>`;
}

/** The evidence as one HTML page without script, to be looked at and printed. */
export function drillHtml(report: DrillReport, chain: DrillChain): string {
  const list = facts(report, chain).map(([name, value]) => `<dt>${html(name)}</dt><dd>${html(value)}</dd>`);
  const row = (cells: readonly string[], tag: "td" | "th") =>
    `<tr>${cells.map((text) => `<${tag}>${html(text)}</${tag}>`).join("")}</tr>`;
  const blocks = tables(report).map(({ title, head, rows }) => {
    const drawn = title === "Recovery time" ? picture(report) : "";
    return `<h2>${title}</h2>${drawn}<table>${row(head, "th")}${rows.map((cells) => row(cells, "td")).join("")}</table>`;
  });
  const title = `Drill ${html(report.id)}, generation ${report.generation}`;
  const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`;
  return `<!doctype html><html lang="en"><meta charset="utf-8">${policy}<title>${title}</title><style>${STYLE}</style>
<h1>${title}</h1><dl>${list.join("")}</dl>${blocks.join("\n")}</html>`;
}
