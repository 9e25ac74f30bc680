import { type Cell, COLUMNS, STATES } from "./states.ts";

const END: Readonly<Record<number, string>> = { 10: "exit 10", 12: "exit 12", 14: "exit 14" };

function shown(cell: Cell): string {
  if ("acts" in cell) {
    if (cell.acts === "begins") return "begins";
    return cell.acts === "ended" ? "ends" : `→ ${cell.acts}`;
  }
  if ("held" in cell) return cell.held === 0 ? "holds already" : `holds, ${END[cell.held]}`;
  const { refused, instead } = cell;
  const named = /^(promote|abort|rollback|retry|watch)/.test(instead) ? `\`${instead.replace(/ q\d/, "")}\`` : instead;
  return `exit ${refused}: ${named}`;
}

const HEAD = `# States and commands

What each command comes to in each state of a rollout. The page is made from the table that a test carries out, cell by
cell: for the first rollout of a service and a later one, with gateways and without, and with the controller restarted
in between.

- \`→ phase\`: it acts, exit 0; the phase is the one right after it. \`ends\`: over at once, because no user had moved.
  \`begins\`: a generation, or the other rollout, begins; without a connected gateway that is refused with exit 1.
- \`holds already\`: what the command asks for is so; nothing happens, it says so and ends with 0. Applying the document
  of an ended rollout again ends with the code of its end.
- \`exit 1\` and \`exit 13\`: nothing happens; the answer names the command that works in this state.

Every state has a way out: \`abort\` and \`rollback\` need no proof, no gateway and no person but you, and read nothing
first. Superseded means that a later rollout of the service has published a split; before that an older one is merely
ended. A promotion that would skip a proof says what is missing and asks for \`--despite\`.
`;

/** The page of the handbook that shows the table. */
export function statesPage(): string {
  const names = COLUMNS.map((column) => (column === "apply" ? "apply the same" : column));
  const head = ["state", ...names];
  const rows = STATES.map(({ state, means, cells }) => [`**${state}**: ${means}`, ...cells.map(shown)]);
  const table = [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  return `${HEAD}\n## The table\n\n${table.join("\n")}\n`;
}
