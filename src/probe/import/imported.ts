import { z } from "zod";
import type { Claim, SectionRef } from "../../core/measure/gold.ts";
import type { Problem } from "../../core/problem.ts";
import { readGoldSet } from "../gold-set.ts";

/** Codes of what an import may say; shape problems of a row have the first four. */
export const IMPORT_CODES = {
  unreadable: "E241",
  missing: "E242",
  type: "E243",
  unknownKey: "E244",
  value: "E245",
  noGold: "E246",
  notInCorpus: "E247",
  fewPhrasings: "E248",
  leftOut: "E249",
  twice: "E250",
} as const;

/** What the reader of gold sets says of an id used twice, in lines of its own. */
const TWICE_IN_GOLD = "E206";

/** A text that need not be there: an empty one is none. */
export const optionalText = z
  .string()
  .trim()
  .transform((text) => (text === "" ? undefined : text))
  .optional();

/** Phrasings that an item of a gold set has. @source definitions.md §2 */
const PHRASINGS = 3;

interface ImportedSpan extends SectionRef {
  readonly start?: number;
  readonly end?: number;
}

/** An item as a gold file has it. There may be fewer than three phrasings: none is made up. */
export interface ImportedItem {
  readonly id: string;
  readonly topic: string;
  readonly phrasings: readonly string[];
  readonly answerable: boolean;
  readonly gold: readonly ImportedSpan[];
  readonly claims?: readonly Claim[];
}

/** An item with the place it was read from. */
export interface ImportedRow {
  readonly item: ImportedItem;
  /** Path inside the source, as people write paths. */
  readonly path: string;
  readonly at: NonNullable<Problem["at"]>;
}

/** What became of one row. */
interface RowReport {
  /** Path inside the source, as people write paths. */
  readonly path: string;
  readonly at?: NonNullable<Problem["at"]>;
  /** Null when it makes no item. */
  readonly id: string | null;
  /** Why it was left out, or what of it was. */
  readonly said: readonly string[];
}

/** What came of a source. Every row is among the items or has a problem that says why it is not. */
export interface Imported {
  readonly items: readonly ImportedItem[];
  /** Rows that were left out, each with its reason. */
  readonly problems: readonly Problem[];
  /** What of the imported rows is missing or was not understood. */
  readonly warnings: readonly Problem[];
  /** Every row, taken or not, in the order of the source. */
  readonly rows: readonly RowReport[];
}

/**
 * Rows as an import, checked by the reader of gold sets itself, so that `gold lint` has nothing to refuse but missing
 * phrasings. Rows it refuses become problems at their own place; those with fewer than three phrasings get a warning.
 */
export function finishImport(
  rows: readonly ImportedRow[],
  problems: readonly Problem[],
  warnings: readonly Problem[],
): Imported {
  const refused = refusedRows(rows);
  const kept = rows.filter((_, index) => !refused.has(index));
  const allProblems = [...problems, ...[...refused.values()].flat()].sort(byPlace);
  const allWarnings = [...warnings, ...kept.flatMap(lintPhrasings)].sort(byPlace);
  return {
    items: kept.map(({ item }) => ({ ...item, phrasings: item.phrasings.slice(0, PHRASINGS) })),
    problems: allProblems,
    warnings: allWarnings,
    rows: reportRows(kept, allProblems, allWarnings),
  };
}

function reportRows(
  kept: readonly ImportedRow[],
  problems: readonly Problem[],
  warnings: readonly Problem[],
): readonly RowReport[] {
  const saidOf = new Map<string, string[]>();
  for (const { path, message } of [...problems, ...warnings]) saidOf.set(path, [...(saidOf.get(path) ?? []), message]);
  const taken = kept.map(({ item, path, at }) => ({ path, at, id: item.id, said: saidOf.get(path) ?? [] }));
  const paths = new Set(taken.map(({ path }) => path));
  const left = problems.filter(({ path }, index) => {
    return !paths.has(path) && problems.findIndex((other) => other.path === path) === index;
  });
  const reports = left.map(({ path, at }): RowReport => {
    return { path, ...(at === undefined ? {} : { at }), id: null, said: saidOf.get(path) ?? [] };
  });
  return [...taken, ...reports].sort(byPlace);
}

/** Problems of the reader by the number of their row. */
function refusedRows(rows: readonly ImportedRow[]): ReadonlyMap<number, readonly Problem[]> {
  const refused = new Map<number, readonly Problem[]>();
  if (rows.length === 0) return refused;
  const first = new Map<string, ImportedRow>();
  for (const [index, row] of rows.entries()) {
    const earlier = first.get(row.item.id);
    if (earlier === undefined) first.set(row.item.id, row);
    else {
      const message = `id "${row.item.id}" is used twice; the first is in line ${earlier.at.line}, and is taken`;
      refused.set(index, [{ code: IMPORT_CODES.twice, path: row.path, at: row.at, message }]);
    }
  }
  const read = readGoldSet(rows.map(({ item }) => JSON.stringify(filledUp(item))).join("\n"));
  if ("items" in read) return refused;
  for (const problem of read) {
    const index = (problem.at?.line ?? 1) - 1;
    const row = rows[index];
    if (row === undefined || problem.code === TWICE_IN_GOLD) continue;
    refused.set(index, [...(refused.get(index) ?? []), { ...problem, path: row.path, at: row.at }]);
  }
  return refused;
}

/** For the check alone: the number of phrasings is reported apart. */
function filledUp(item: ImportedItem): ImportedItem {
  const { phrasings } = item;
  return {
    ...item,
    phrasings: Array.from({ length: PHRASINGS }, (_, index) => phrasings[index] ?? phrasings[0] ?? ""),
  };
}

function lintPhrasings({ item, path, at }: ImportedRow): readonly Problem[] {
  const { length } = item.phrasings;
  if (length === PHRASINGS) return [];
  if (length > PHRASINGS) {
    const left = item.phrasings.slice(PHRASINGS).map((phrasing) => JSON.stringify(phrasing));
    const message = `${item.id} has ${length} phrasings; the first ${PHRASINGS} are taken, left out: ${left.join(", ")}`;
    return [{ code: IMPORT_CODES.leftOut, path, at, message }];
  }
  const message = `${item.id} has ${length} of ${PHRASINGS} phrasings; gold lint and probes refuse it until the others are written`;
  const fix = "ask the same in other words, with the same numbers and names";
  return [{ code: IMPORT_CODES.fewPhrasings, path, at, message, fix }];
}

function byPlace(a: Pick<Problem, "at">, b: Pick<Problem, "at">): number {
  return (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0);
}
