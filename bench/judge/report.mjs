// The table of a run as Markdown.
import { EXPLAINED_NOTE, INTRODUCTION, SAME_SHARES_NOTE } from "./prose.mjs";
import { LADDERS, PEERS, POLICIES } from "./policies.mjs";

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

const line = (values) => `| ${values.join(" | ")} |`;

/** Share that aborted and how fast: of a peer's family the variant that stops more, then the faster. */
function stopText(cells) {
  const [best] = [...cells].sort((a, b) => b.abort - a.abort || (a.medianAbortS ?? 0) - (b.medianAbortS ?? 0));
  return `${share(best.abort)} · ${seconds(best.medianAbortS)}`;
}

/** Ours beside each peer's better variant while both walk the peer's shares. */
function sameShares(scenarios, cells) {
  const rows = scenarios.flatMap(({ id, truth }) => {
    if (truth !== "harmful") return [];
    const cellOf = (policy) => cells.filter((cell) => cell.row === id && cell.policy === policy);
    const pairs = LADDERS.flatMap((ladder) => {
      const variants = PEERS.filter((peer) => peer.id.startsWith(`${ladder.peer} `));
      return [stopText(variants.flatMap((variant) => cellOf(variant.id))), stopText(cellOf(ladder.id))];
    });
    return [line([`\`${id}\``, ...pairs])];
  });
  const header = LADDERS.flatMap(({ peer, id }) => [peer, id]);
  return rows.length === 0 ? [] : [line(["row", ...header]), line(["row", ...header].map(() => "---")), ...rows];
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
    "## On the same shares",
    "",
    ...SAME_SHARES_NOTE,
    "",
    ...sameShares(scenarios, cells),
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
