import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { stringify } from "yaml";
import { IMPORT_CODES, type ImportedItem } from "../../probe/import/imported.ts";
import { describeProblem } from "../../spec/excerpt.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { GoldFormat } from "../../probe/import/format-names.ts";
import { readGoldSource, type Told } from "../gold-source.ts";
import type { Style, Terminal } from "../terminal.ts";

interface GoldImportOptions {
  readonly json: boolean;
  readonly from: GoldFormat;
  readonly corpus: string | null;
  readonly queries: string | null;
  readonly topic: string;
  /** Null: standard output. */
  readonly out: string | null;
}

/** Findings of one kind that are told one by one; the rest is counted, and all of it is in `--json`. */
const TOLD_MAX = 20;
/** Longest YAML text that a gold set is read from; JSON lines may be longer. */
const YAML_MAX = 1_048_576;

/**
 * `sluice gold import FILE`: questions of another tool as a gold set. Every row that makes no item is reported with its
 * reason; nothing is written when none does, and no file is overwritten, because phrasings are added to it by hand.
 */
export async function goldImport(file: string, options: GoldImportOptions, terminal: Terminal): Promise<ExitCode> {
  const { out, json } = options;
  const { imported, sources } = await readGoldSource(file, options);
  const { items, warnings, rows } = imported;
  const main = sources.at(-1) ?? { file, text: "" };
  const problems = sources.flatMap((source) => source.problems);
  if (!json) {
    for (const source of sources) tell("bad", "left out", source, terminal);
    tell("warn", "warning", { ...main, problems: warnings.filter(({ code }) => !isFew(code)) }, terminal);
  }
  if (items.length === 0) {
    if (json) terminal.data(JSON.stringify({ count: 0, problems, warnings, rows }));
    throw new CliError(EXIT.badUsage, `no question of ${file} could be imported`);
  }
  if (out !== null) await write(out, items);
  if (json) {
    terminal.data(
      JSON.stringify({ count: items.length, ...(out === null ? { items } : { out }), problems, warnings, rows }),
    );
    return EXIT.ok;
  }
  if (out === null) for (const item of items) terminal.data(JSON.stringify(item));
  terminal.say(`${items.length} questions imported, ${problems.length} findings on rows left out`);
  const few = warnings.filter(({ code }) => isFew(code)).length;
  if (few > 0) {
    const advice = "no wording is made up: write the others, gold lint and probe refuse a question without them";
    terminal.say(`${terminal.paint("warn", "warning")} ${few} questions have fewer than three phrasings; ${advice}`);
  }
  return EXIT.ok;
}

function isFew(code: string): boolean {
  return code === IMPORT_CODES.fewPhrasings;
}

function tell(style: Style, label: string, { file, text, problems }: Told, terminal: Terminal): void {
  for (const problem of problems.slice(0, TOLD_MAX)) {
    terminal.say(`${terminal.paint(style, label)} ${describeProblem(problem, file, text)}`);
  }
  const more = problems.length - TOLD_MAX;
  if (more > 0) terminal.say(`${terminal.paint(style, label)} and ${more} more in ${file}; --json lists all`);
}

async function write(out: string, items: readonly ImportedItem[]): Promise<void> {
  const isYaml = [".yaml", ".yml"].includes(extname(out).toLowerCase());
  const content = isYaml
    ? stringify(items, { lineWidth: 120 })
    : items.map((item) => `${JSON.stringify(item)}\n`).join("");
  if (isYaml && content.length > YAML_MAX) {
    const found = `${items.length} questions make ${content.length} characters of YAML`;
    throw new CliError(EXIT.badUsage, `${found}, at most ${YAML_MAX} are read: write them as .jsonl`);
  }
  try {
    await writeFile(out, content, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new CliError(
      EXIT.badUsage,
      `${out} is there already and may hold phrasings; name another file or remove it`,
      error,
    );
  }
}
