import type { SectionRef } from "../../core/measure/gold.ts";
import type { Problem } from "../../core/problem.ts";
import type { CorpusSection } from "../corpus.ts";
import { finishImport, IMPORT_CODES, type Imported, type ImportedRow } from "./imported.ts";
import type { Queries } from "./queries.ts";
import { findSections, type SectionFinder } from "./section-finder.ts";
import { blankFields, type Field, linesOf, type TableLine, tabFields } from "./table.ts";

/** Most relevant sections that ten passages can cover. */
const RELEVANT_MAX = 10;

/** One judgement: how relevant a document is to a query. */
interface Judgement {
  readonly query: Field;
  readonly doc: Field;
  readonly relevance: number;
  readonly line: number;
}

interface Columns {
  readonly query: number;
  readonly doc: number;
  readonly relevance: number;
  readonly names: readonly string[];
}

/** TREC: query, a column nobody uses, document, relevance. @source trec_eval, "qrels" */
const TREC: Columns = { query: 0, doc: 2, relevance: 3, names: ["query", "0", "document", "relevance"] };

interface QrelsOptions {
  readonly queries: Queries;
  /** Null: document ids are taken for section ids. */
  readonly corpus: readonly CorpusSection[] | null;
  /** Topic of queries that name none. */
  readonly topic: string;
}

/**
 * Relevance judgements as a gold set: documents judged above 0 are the gold sections of their query. Reads the four
 * columns of TREC, parted by blanks, and the tab-separated table of BEIR with its header `query-id corpus-id score`.
 * Queries without a text or a relevant document are left out, each with its reason.
 * @source N. Thakur et al., "BEIR", NeurIPS 2021, data format
 */
export function importQrels(text: string, { queries, corpus, topic }: QrelsOptions): Imported {
  const { judgements, problems } = readJudgements(text);
  const byQuery = new Map<string, Judgement[]>();
  for (const judgement of judgements) {
    const mine = byQuery.get(judgement.query.text);
    if (mine === undefined) byQuery.set(judgement.query.text, [judgement]);
    else mine.push(judgement);
  }
  const repeated = judgedTwice(judgements);
  const sections = findSections(corpus);
  const read = [...byQuery.values()].map((mine) => readQuery(mine, queries, sections, topic));
  const told = [
    ...repeated.filter(({ code }) => code === IMPORT_CODES.leftOut),
    ...read.flatMap((one) => one.warnings),
  ];
  const warnings = [...told, ...unjudged(queries, byQuery)];
  return finishImport(
    read.flatMap(({ row }) => (row === null ? [] : [row])),
    [
      ...problems,
      ...repeated.filter(({ code }) => code === IMPORT_CODES.twice),
      ...read.flatMap((one) => one.problems),
    ],
    warnings,
  );
}

/**
 * Judgements of one query and document: the same one twice is told, two different ones are told and the first counts.
 */
function judgedTwice(judgements: readonly Judgement[]): readonly Problem[] {
  const first = new Map<string, Judgement>();
  return judgements.flatMap((judgement): readonly Problem[] => {
    const { query, doc, relevance, line } = judgement;
    const key = `${query.text}\n${doc.text}`;
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, judgement);
      return [];
    }
    const place = { path: `line ${line}`, at: { line, column: doc.column } };
    const what = `document ${doc.text} of query ${query.text} is judged ${relevance} here`;
    if (earlier.relevance === relevance)
      return [{ code: IMPORT_CODES.leftOut, ...place, message: `${what} and in line ${earlier.line}` }];
    const message = `${what} and ${earlier.relevance} in line ${earlier.line}, which is taken`;
    return [{ code: IMPORT_CODES.twice, ...place, message }];
  });
}

interface ReadJudgements {
  readonly judgements: readonly Judgement[];
  readonly problems: readonly Problem[];
}

function readJudgements(text: string): ReadJudgements {
  const lines = linesOf(text);
  const header = beirHeader(lines[0]);
  const rows = header === null ? lines : lines.slice(1);
  const judgements: Judgement[] = [];
  const problems: Problem[] = [];
  for (const line of rows) {
    const judgement = readJudgement(line, header ?? TREC);
    if ("code" in judgement) problems.push(judgement);
    else judgements.push(judgement);
  }
  if (lines.length === 0)
    problems.push({ code: IMPORT_CODES.missing, path: "", message: "the qrels hold no judgement" });
  return { judgements, problems };
}

function beirHeader(first: TableLine | undefined): Columns | null {
  const names = first === undefined ? [] : tabFields(first).map(({ text }) => text.toLowerCase());
  const [query, doc, relevance] = ["query-id", "corpus-id", "score"].map((name) => names.indexOf(name));
  if (query === undefined || doc === undefined || relevance === undefined) return null;
  return query < 0 || doc < 0 || relevance < 0 ? null : { query, doc, relevance, names };
}

function readJudgement(line: TableLine, columns: Columns): Judgement | Problem {
  const fields = columns === TREC ? blankFields(line) : tabFields(line);
  if (fields.length !== columns.names.length) {
    const message = `found ${fields.length} columns, expected ${columns.names.length}: ${columns.names.join(", ")}`;
    return { code: IMPORT_CODES.type, path: `line ${line.number}`, at: { line: line.number, column: 1 }, message };
  }
  const [query, doc, score] = [fields[columns.query], fields[columns.doc], fields[columns.relevance]] as [
    Field,
    Field,
    Field,
  ];
  const wrong = [query, doc].find((field) => field.text === "") ?? (/^-?\d+(\.\d+)?$/.test(score.text) ? null : score);
  if (wrong === null) return { query, doc, relevance: Number(score.text), line: line.number };
  const expected = wrong === score ? "a number as relevance" : "an id";
  const message = `found ${JSON.stringify(wrong.text)}, expected ${expected}`;
  return {
    code: IMPORT_CODES.type,
    path: `line ${line.number}`,
    at: { line: line.number, column: wrong.column },
    message,
  };
}

interface ReadQuery {
  readonly row: ImportedRow | null;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** All judgements of one query as one item. */
function readQuery(
  judgements: readonly Judgement[],
  queries: Queries,
  sections: SectionFinder,
  topic: string,
): ReadQuery {
  const [first] = judgements as [Judgement];
  const id = first.query.text;
  const at = { line: first.line, column: first.query.column };
  const leaveOut = (code: string, message: string): ReadQuery => {
    return { row: null, problems: [{ code, path: id, at, message }], warnings: [] };
  };
  const query = queries.byId.get(id);
  if (query === undefined) return leaveOut(IMPORT_CODES.missing, `query ${id} has no text in the queries file`);
  const relevant = judgements.filter(({ doc, relevance }, index) => {
    return relevance > 0 && judgements.findIndex((other) => other.doc.text === doc.text) === index;
  });
  if (relevant.length === 0) return leaveOut(IMPORT_CODES.noGold, `query ${id} has no document judged above 0`);
  const { gold, problems } = goldOf(id, relevant, sections);
  if (gold.length === 0) return { row: null, problems, warnings: [] };
  const item = { id, topic: query.topic ?? topic, phrasings: query.texts, answerable: true, gold };
  const many = `query ${id} has ${gold.length} relevant sections: an answer of ${RELEVANT_MAX} passages cannot cover them`;
  const warnings = gold.length > RELEVANT_MAX ? [{ code: IMPORT_CODES.leftOut, path: id, at, message: many }] : [];
  return { row: { item, path: id, at }, problems: [], warnings: [...warnings, ...problems] };
}

/** Relevant sections, each once. Documents that are no section of the corpus are told one by one. */
function goldOf(
  id: string,
  relevant: readonly Judgement[],
  sections: SectionFinder,
): { readonly gold: readonly SectionRef[]; readonly problems: readonly Problem[] } {
  const gold = new Map<string, SectionRef>();
  const problems: Problem[] = [];
  for (const { doc, line } of relevant) {
    const found = sections.byId(doc.text);
    if ("ref" in found) gold.set(`${found.ref.doc}\u0000${found.ref.section}`, found.ref);
    else {
      const message = `document ${doc.text} of query ${id} ${found.reason}`;
      problems.push({ code: IMPORT_CODES.notInCorpus, path: id, at: { line, column: doc.column }, message });
    }
  }
  return { gold: [...gold.values()], problems };
}

/** A queries file often serves several sets of judgements, so queries of another one are told together. */
function unjudged(queries: Queries, judged: ReadonlyMap<string, unknown>): readonly Problem[] {
  const others = [...queries.byId.keys()].filter((id) => !judged.has(id));
  if (others.length === 0) return [];
  const named = `${others.slice(0, 5).join(", ")}${others.length > 5 ? ", …" : ""}`;
  const message = `${others.length} queries of the queries file are judged nowhere and left out: ${named}`;
  return [{ code: IMPORT_CODES.leftOut, path: "", message }];
}
