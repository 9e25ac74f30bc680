import { z } from "zod";
import { codePoints, sliceCodePoints } from "../../core/measure/tokenizer.ts";
import type { Problem } from "../../core/problem.ts";
import type { CorpusSection } from "../corpus.ts";
import { checkShape } from "../shape-problems.ts";
import { finishImport, IMPORT_CODES, type Imported, type ImportedRow } from "./imported.ts";
import { parseJsonSource } from "../../spec/json-source.ts";
import { linesOf, type TableLine } from "./table.ts";

const CODES = IMPORT_CODES;
const named = z.string().trim().min(1, "is an empty text");

const lineShape = z
  .object({
    id: named,
    topic: named,
    question: named,
    doc: named,
    section: named,
    start: z.int().min(0).optional(),
    end: z.int().min(1).optional(),
    answer: z.string().min(1).optional(),
    disfluent: named.optional(),
  })
  .refine(
    ({ start, end }) => (start === undefined) === (end === undefined),
    "has one of start and end; give both or none",
  )
  .refine(({ start, end }) => (start ?? 0) < (end ?? 1), "ends where it starts or before");

type QuestionLine = z.infer<typeof lineShape>;

/** Whether a text is JSON lines and not one document: its first line alone is an object. */
export function isQuestionLines(text: string): boolean {
  const [first] = linesOf(text);
  if (first === undefined || !first.text.trimStart().startsWith("{")) return false;
  const source = parseJsonSource(first.text, CODES.unreadable);
  return "value" in source && !("data" in (source.value as object));
}

/**
 * Questions as JSON lines `{id, topic, question, doc, section, start?, end?, answer?, disfluent?}`; `disfluent` is the
 * same question as people stumble through it, its second phrasing. With a corpus the section must exist and the stretch
 * must be the answer.
 * @source A. Gupta et al., "Disfl-QA", Findings of ACL 2021: disfluent rewrites of SQuAD questions
 */
export function importQuestionLines(text: string, corpus: readonly CorpusSection[] | null): Imported {
  const sections = corpus === null ? null : new Map(corpus.map((one) => [sectionName(one), one.text]));
  const problems: Problem[] = [];
  const rows: ImportedRow[] = [];
  for (const line of linesOf(text)) {
    const read = readLine(line, sections);
    if ("item" in read) rows.push(read);
    else problems.push(...read);
  }
  return finishImport(rows, problems, []);
}

function sectionName({ doc, section }: Pick<QuestionLine, "doc" | "section">): string {
  return `${doc}\u0000${section}`;
}

function readLine(line: TableLine, sections: ReadonlyMap<string, string> | null): ImportedRow | readonly Problem[] {
  const placed = (problem: Problem): Problem => ({
    ...problem,
    path: `line ${line.number}`,
    at: { line: line.number, column: problem.at?.column ?? 1 },
  });
  const source = parseJsonSource(line.text, CODES.unreadable);
  if (!("value" in source)) return source.map(placed);
  const checked = checkShape(lineShape, source, CODES);
  if (!("value" in checked)) return checked.map(placed);
  const question = checked.value;
  const wrong = sections === null ? null : sourceFault(question, sections);
  if (wrong !== null) return [placed({ ...wrong, path: "", at: source.locate([wrong.member]) })];
  return { item: itemOf(question), path: `line ${line.number}`, at: { line: line.number, column: 1 } };
}

function itemOf({
  id,
  topic,
  question,
  doc,
  section,
  start,
  end,
  answer,
  disfluent,
}: QuestionLine): ImportedRow["item"] {
  const span = start === undefined || end === undefined ? { doc, section } : { doc, section, start, end };
  const phrasings = disfluent === undefined ? [question] : [question, disfluent];
  const item = { id, topic, phrasings, answerable: true, gold: [span] };
  return answer === undefined ? item : { ...item, claims: [answer.trim()] };
}

/** What of a question the corpus contradicts, and in which member of its line. */
function sourceFault(question: QuestionLine, sections: ReadonlyMap<string, string>) {
  const { doc, section, start, end, answer } = question;
  const text = sections.get(sectionName(question));
  if (text === undefined) {
    return { code: CODES.notInCorpus, member: "section", message: `section ${doc} / ${section} is not in the corpus` };
  }
  if (start === undefined || end === undefined) return null;
  const length = codePoints(text);
  if (end > length) {
    return { code: CODES.value, member: "end", message: `the answer ends at ${end} of ${length} code points` };
  }
  const found = sliceCodePoints(text, start, end);
  if (answer === undefined || found === answer) return null;
  const message = `found ${JSON.stringify(found)} at ${start}, expected the answer ${JSON.stringify(answer)}`;
  return { code: CODES.value, member: "start", message };
}
