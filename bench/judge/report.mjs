// The table of a run as Markdown.
import { EXPLAINED_NOTE, INTRODUCTION } from "./prose.mjs";
import { POLICIES } from "./policies.mjs";

const seconds = (value) => {
  if (value === null) return "–";
  if (value < 120) return `${Math.round(value)} s`;
  return value < 7_200 ? `${Math.round(value / 60)} min` : `${(value / 3_600).toFixed(1)} h`;
};
const share = (value) => `${Number((100 * value).toFixed(1))} %`;

/** @param {import("./cell.mjs").Cell} cell */
function cellText({ abort, abortError, promote, medianS, p95S, exposed }) {
  return `${share(abort)} ±${(100 * abortError).toFixed(1)} · ${share(promote)} · ${seconds(medianS)} (${seconds(p95S)}) · ${exposed}`;
}

/**
 * @param {object} run
 * @param {string} run.command
 * @param {string} run.engine digest of the built engine
 * @param {number} run.runs seeds a cell
 * @param {readonly import("./scenarios.mjs").Scenario[]} run.scenarios
 * @param {readonly import("./cell.mjs").Cell[]} run.cells
 * @param {readonly import("./goals.mjs").Goal[]} run.goals
 */
export function markdown({ command, engine, runs, scenarios, cells, goals }) {
  const line = (values) => `| ${values.join(" | ")} |`;
  const rows = scenarios.map(({ id, says, truth }) => {
    const found = POLICIES.map((policy) => cells.find((cell) => cell.row === id && cell.policy === policy));
    return line([`\`${id}\` ${says}`, truth, ...found.map((cell) => (cell === undefined ? "" : cellText(cell)))]);
  });
  const missed = goals.filter(({ met }) => !met);
  const misses = missed.map(({ row, against, goal, found, explained }) => {
    return line([`\`${row}\``, against, goal, found, explained ?? "**unexplained**"]);
  });
  return [
    "# Decisions beside those of other canary tools",
    "",
    `Written by \`${command}\`, ${runs} seeds a cell, engine \`${engine}\` (sha256 of dist/core and dist/spec); do not edit.`,
    "",
    ...INTRODUCTION,
    "",
    line(["row", "truth", ...POLICIES]),
    line(Array.from({ length: POLICIES.length + 2 }, () => "---")),
    ...rows,
    "",
    "## Goals missed",
    "",
    ...EXPLAINED_NOTE,
    "",
    `${goals.length - missed.length} of ${goals.length} goals met.`,
    "",
    ...(missed.length === 0
      ? []
      : [line(["row", "against", "goal", "found", "why"]), "|---|---|---|---|---|", ...misses, ""]),
  ].join("\n");
}
