import type { Claim } from "../../core/measure/gold.ts";
import type { Problem } from "../../core/problem.ts";
import type { Source } from "../../spec/source.ts";
import type { CorpusSection } from "../corpus.ts";
import { checkShape } from "../shape-problems.ts";
import type { TableRows } from "./csv-rows.ts";
import { finishImport, IMPORT_CODES, type Imported, type ImportedRow } from "./imported.ts";
import { goldOfTest, metadataShape } from "./promptfoo-gold.ts";
import { findSections, type SectionFinder } from "./section-finder.ts";

type Members = Readonly<Record<string, unknown>>;

const QUESTIONS = ["question", "query", "user_input", "input", "prompt", "text", "message"];
/** One answer in the words of its writer. */
const ANSWERS = ["answer", "reference", "ground_truth", "reference_answer", "output", "expected_output", "expected"];
/** Answers of which each is right. */
const ALTERNATIVES = ["answers", "ground_truths", "accepted_answers", "references"];
const CONTEXTS = ["reference_contexts", "contexts", "context"];
const SECTION_IDS = ["sections", "section_ids", "reference_context_ids", "context_ids", "document_ids"];
const IDS = ["id", "_id", "query_id", "qid", "question_id"];
const ARCHIVED = "ARCHIVED";

interface DatasetOptions {
  readonly corpus: readonly CorpusSection[] | null;
  readonly topic: string;
}

/**
 * Rows of a data set as a gold set: Hugging Face rows, ragas test sets, LangSmith and Langfuse exports. They differ in
 * where a row keeps its members (`row`, `inputs`, `outputs`, `metadata`, `expectedOutput`) and what it calls them; the
 * first name that a row has is taken. One reference answer is a claim; several accepted ones are one claim of
 * alternatives. Gold sections come from ids, else from the texts of contexts, found in the corpus.
 * @source Hugging Face datasets-server `/rows`; ragas `EvaluationDataset` and test sets 0.1 to 0.3; LangSmith and
 *   Langfuse documentation, dataset export
 */
export function importDataset({ rows, problems }: TableRows, { corpus, topic }: DatasetOptions): Imported {
  const sections = findSections(corpus);
  const read = rows.map((source, index) => readRow(source, index, sections, topic));
  const imported = read.flatMap(({ row }) => (row === null ? [] : [row]));
  const warnings = read.flatMap((one) => one.warnings);
  const left = [...problems, ...read.flatMap((one) => one.problems)];
  const none =
    rows.length + problems.length > 0 ? [] : [{ code: IMPORT_CODES.missing, path: "", message: "found no row" }];
  return finishImport(imported, [...left, ...none], warnings);
}

interface ReadRow {
  readonly row: ImportedRow | null;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

function readRow(source: Source, index: number, sections: SectionFinder, topic: string): ReadRow {
  const at = source.locate([]);
  const path = `rows[${index}]`;
  const leaveOut = (code: string, message: string): ReadRow => {
    return { row: null, problems: [{ code, path, at, message }], warnings: [] };
  };
  const row = membersOf(source.value);
  if (row === null) return leaveOut(IMPORT_CODES.type, `found ${JSON.stringify(source.value)}, expected a row`);
  if (row["status"] === ARCHIVED) return leaveOut(IMPORT_CODES.leftOut, "the row is archived");
  const members = flattened(row);
  const question = textOf(members, QUESTIONS);
  if (question === null)
    return leaveOut(
      IMPORT_CODES.missing,
      `found ${Object.keys(members).join(", ")}; expected a text as ${QUESTIONS.join(", ")}`,
    );
  const metadata = checkShape(metadataShape, { ...source, value: metadataOf(members) }, IMPORT_CODES);
  if (!("value" in metadata))
    return { row: null, problems: metadata.map((one) => ({ ...one, path, at })), warnings: [] };
  const id = spelledId(source, row) ?? metadata.value.id ?? `row-${index + 1}`;
  const gold = goldOfTest({ context: plainContext(members) }, metadata.value, sections);
  if ("reason" in gold) return leaveOut(IMPORT_CODES.notInCorpus, gold.reason);
  const isRefused = isUnanswerable(members);
  if (isRefused && metadata.value.gold !== undefined)
    return leaveOut(IMPORT_CODES.value, `${id} is to be refused and names gold sections`);
  if (!isRefused && gold.spans.length === 0)
    return leaveOut(
      IMPORT_CODES.noGold,
      `${id} names no gold section; expected ids (${SECTION_IDS.join(", ")}) or contexts`,
    );
  const { claims, left } = claimsOf(members);
  const item = {
    id,
    topic: metadata.value.topic ?? metadata.value.category ?? topic,
    phrasings: [question, ...phrasingsOf(members, question)],
    answerable: !isRefused,
    gold: isRefused ? [] : gold.spans,
    ...(claims.length === 0 || isRefused ? {} : { claims }),
  };
  const warnings = left.map((message) => ({ code: IMPORT_CODES.leftOut, path, at, message }));
  return { row: { item, path, at }, problems: [], warnings };
}

function membersOf(value: unknown): Members | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : null;
}

/** Members of a row and of what it keeps them in; the outer ones win. A text alone is the question or the answer. */
function flattened(row: Members): Members {
  const part = (name: string, alone: string): Members =>
    membersOf(row[name]) ?? (row[name] == null ? {} : { [alone]: row[name] });
  const outer = Object.entries(row).filter(([, value]) => value !== null && value !== "");
  const inner: Members = { ...membersOf(row["row"]) };
  return {
    ...inner,
    ...part("metadata", "metadata"),
    ...part("outputs", "answer"),
    ...part("expectedOutput", "answer"),
    ...part("inputs", "question"),
    ...part("input", "question"),
    ...Object.fromEntries(
      outer.filter(
        ([name, value]) =>
          !(["row", "inputs", "outputs", "input", "expectedOutput"].includes(name) && typeof value === "object"),
      ),
    ),
  };
}

function textOf(members: Members, names: readonly string[]): string | null {
  for (const name of names) {
    const value = members[name];
    if (typeof value === "string" && value.trim() !== "") return value.trim();
  }
  return null;
}

function spelledId(source: Source, row: Members): string | null {
  for (const name of IDS) {
    const value = row[name];
    if (typeof value === "string" && value.trim() !== "") return value.trim();
    if (typeof value === "number") return source.spelled([name]) ?? String(value);
  }
  return null;
}

/** What a gold set takes of a row besides question and answer; lists in CSV cells are parted by commas or are JSON. */
function metadataOf(members: Members): Members {
  const ids = SECTION_IDS.map((name) => members[name]).find((value) => value != null && value !== "");
  const pick = (name: string): Members => (members[name] == null ? {} : { [name]: members[name] });
  return {
    ...pick("topic"),
    ...pick("category"),
    ...pick("gold"),
    ...pick("doc"),
    ...pick("section"),
    ...(ids === undefined ? {} : { sections: listOf(ids) }),
    ...(IDS.map((name) => members[name]).find((value) => typeof value === "string") === undefined
      ? {}
      : { id: textOf(members, IDS) ?? undefined }),
  };
}

/** A list, also one that a table's cell holds as JSON or parted by commas. */
function listOf(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const parsed = asJsonList(value);
  return (
    parsed ??
    value
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "")
  );
}

function asJsonList(text: string): readonly unknown[] | null {
  if (!text.trim().startsWith("[")) return null;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function plainContext(members: Members): unknown {
  const found = CONTEXTS.map((name) => members[name]).find((value) => value != null && value !== "");
  return typeof found === "string" ? (asJsonList(found) ?? found) : found;
}

function phrasingsOf(members: Members, question: string): readonly string[] {
  const others = listIn(members["phrasings"] ?? members["paraphrases"]).filter((text) => text !== question);
  return [...new Set(others)];
}

function listIn(value: unknown): readonly string[] {
  const list = typeof value === "string" ? (asJsonList(value) ?? [value]) : value;
  return Array.isArray(list) ? list.filter((one): one is string => typeof one === "string" && one.trim() !== "") : [];
}

/** `answers: {text: []}` of SQuAD's rows, or a flag. */
function isUnanswerable(members: Members): boolean {
  const flag = members["answerable"] ?? members["is_answerable"];
  if (members["is_impossible"] === true || flag === false || flag === "false") return true;
  const texts = membersOf(members["answers"])?.["text"];
  return Array.isArray(texts) && texts.length === 0;
}

function claimsOf(members: Members): { readonly claims: readonly Claim[]; readonly left: readonly string[] } {
  const name = ALTERNATIVES.find((key) => members[key] != null && members[key] !== "");
  const given = name === undefined ? undefined : members[name];
  const texts = [...new Set(listIn(membersOf(given)?.["text"] ?? given).map((text) => text.trim()))];
  const one = textOf(members, ANSWERS);
  const left = name !== undefined && texts.length === 0 ? [`${name} holds no text: it is left out`] : [];
  if (texts.length > 0) {
    const all = one === null || texts.includes(one) ? texts : [one, ...texts];
    return { claims: all.length === 1 ? all : [all], left };
  }
  const odd = ANSWERS.find((key) => members[key] != null && typeof members[key] !== "string");
  if (one !== null || odd === undefined) return { claims: one === null ? [] : [one], left };
  return { claims: [], left: [...left, `${odd} is no text: it is left out`] };
}
