import type { Source } from "../../spec/source.ts";
import { readCsv, type TableRows } from "./csv-rows.ts";

/** Columns of the table that are no variables begin with this. */
const SPECIAL = "__";
const EXPECTED = /^__expected\d*$/;
const METADATA = /^__metadata:([^[\]]+)(\[\])?$/;
/** `contains-any: a, b`, `similar(0.8): text`; anything else is compared as a whole. */
const ASSERTION = /^(not-)?([a-z]+(?:-[a-z]+)*)(?:\(([\d.]+)\))?:\s*([\s\S]*)$/;
const TYPES =
  /^(?:equals|i?contains(?:-all|-any|-json)?|starts-with|similar|is-[a-z-]+|regex|javascript|python|fn|eval)$/;
const OTHER_TYPES =
  /^(?:llm-rubric|grade|factuality|model-graded-[a-z]+|latency|cost|levenshtein|rouge-n|context-[a-z]+|file)$/;

/** Whether a text is a table of tests: its first line names columns and opens no YAML or JSON. */
export function isTestTable(text: string): boolean {
  const header = /^\uFEFF?(?:sep=.\r?\n)?([^\r\n]*)/.exec(text)?.[1] ?? "";
  return /[,;\t]/.test(header) && !/^\s*(?:[-#[{]|---)|^[\w-]+:(?:\s|$)/.test(header);
}

/**
 * Tests of a CSV file: a column a variable, `__expected` an assertion, `__metadata:NAME` metadata (with `[]` a list
 * parted by commas), `__threshold` the score at which the test passes.
 * @source https://www.promptfoo.dev/docs/configuration/test-cases/#csv-format
 */
export function readTestTable(text: string): TableRows {
  const { rows, problems } = readCsv(text);
  return { rows: rows.map(testOf), problems };
}

function testOf(row: Source): Source {
  const cells = Object.entries(row.value as Readonly<Record<string, string>>);
  const metadata = cells.flatMap(([name, cell]) => {
    const [, key, list] = METADATA.exec(name) ?? [];
    if (key === undefined) return [];
    return [[key, list === undefined ? cell : cell.split(",").map((part) => part.trim())] as const];
  });
  const threshold = cells.find(([name]) => name === "__threshold")?.[1];
  const value = {
    vars: Object.fromEntries(cells.filter(([name]) => !name.startsWith(SPECIAL))),
    assert: cells.flatMap(([name, cell]) => (EXPECTED.test(name) ? [assertionOf(cell)] : [])),
    metadata: Object.fromEntries(metadata),
    ...(threshold === undefined ? {} : { threshold: Number(threshold) }),
  };
  return { ...row, value };
}

function assertionOf(cell: string): { readonly type: string; readonly value?: string; readonly threshold?: number } {
  const trimmed = cell.trim();
  if (/^(?:not-)?is-[a-z-]+$/.test(trimmed)) return { type: trimmed };
  const [, not = "", type = "", threshold, value = ""] = ASSERTION.exec(trimmed) ?? [];
  if (!TYPES.test(type) && !OTHER_TYPES.test(type)) return { type: "equals", value: trimmed };
  return { type: not + type, value, ...(threshold === undefined ? {} : { threshold: Number(threshold) }) };
}
