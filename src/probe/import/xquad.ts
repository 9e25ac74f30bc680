import { z } from "zod";
import { codePoints, sliceCodePoints } from "../../core/measure/tokenizer.ts";
import type { Claim } from "../../core/measure/gold.ts";
import type { Problem } from "../../core/problem.ts";
import type { Path, Source } from "../../spec/source.ts";
import { pathText, sourceAt } from "../../spec/source.ts";
import type { CorpusSection } from "../corpus.ts";
import { checkShape } from "../shape-problems.ts";
import { finishImport, IMPORT_CODES, type Imported, type ImportedRow } from "./imported.ts";
import { importQuestionLines, isQuestionLines } from "./question-lines.ts";
import { parseJsonSource } from "../../spec/json-source.ts";
import { findSections, type SectionFinder } from "./section-finder.ts";

const CODES = IMPORT_CODES;
const named = z.string().trim().min(1, "is an empty text");

const fileShape = z.object({ data: z.array(z.object({ title: named, paragraphs: z.array(z.unknown()) })) });
const paragraphShape = z.object({ context: z.string().regex(/\S/, "is an empty text"), qas: z.array(z.unknown()) });
const questionShape = z.object({
  id: z.union([named, z.int().transform(String)]),
  question: named,
  answers: z.array(z.object({ text: z.string().min(1), answer_start: z.int().min(0) })).optional(),
  is_impossible: z.boolean().optional(),
});

/** A paragraph with the section it is. */
interface Paragraph {
  readonly title: string;
  readonly context: string;
  readonly section: { readonly doc: string; readonly section: string };
  /** Where it begins in its section, in code points. */
  readonly start: number;
}

type Part = { readonly row: ImportedRow; readonly warnings?: readonly Problem[] } | { readonly problem: Problem };

/**
 * SQuAD-shaped questions (SQuAD 1.1 and 2.0, XQuAD, MLQA, TyDi QA) as a gold set: titles are topics, paragraphs are
 * sections, the stretch of the first answer is gold and the wordings of all answers are claims; impossible questions
 * are to be refused. Without a corpus the paragraphs of a title are its sections `TITLE#0`, `TITLE#1`, … Also reads
 * such questions re-laid as JSON lines (`importQuestionLines`).
 * @source P. Rajpurkar et al., "SQuAD", EMNLP 2016, data format: offsets count code points, as Python does
 */
export function importXquad(text: string, corpus: readonly CorpusSection[] | null): Imported {
  if (isQuestionLines(text)) return importQuestionLines(text, corpus);
  const source = parseJsonSource(text, CODES.unreadable);
  if (!("value" in source)) return finishImport([], source, []);
  const checked = checkShape(fileShape, source, CODES);
  if (!("value" in checked)) return finishImport([], checked, []);
  const finder = corpus === null ? null : findSections(corpus);
  const warnings: Problem[] = [];
  const counts = new Map<string, number>();
  const parts = checked.value.data.flatMap(({ title, paragraphs }, article) => {
    // Two articles of one title are two: their paragraphs are numbered on.
    const first = counts.get(title) ?? 0;
    counts.set(title, first + paragraphs.length);
    if (first > 0) {
      const message = `title ${JSON.stringify(title)} stands twice: its sections go on at ${title}#${first}`;
      const path = ["data", article, "title"];
      warnings.push({ code: CODES.twice, path: pathText(path), at: source.locate(path), message });
    }
    return paragraphs.flatMap((_, number) => {
      return readParagraph(source, ["data", article, "paragraphs", number], title, first + number, finder);
    });
  });
  warnings.push(...parts.flatMap((part) => ("row" in part ? (part.warnings ?? []) : [])));
  const problems = parts.flatMap((part) => ("problem" in part ? [part.problem] : []));
  const rows = parts.flatMap((part) => ("row" in part ? [part.row] : []));
  if (parts.length > 0) return finishImport(rows, problems, warnings);
  return finishImport([], [{ code: CODES.missing, path: "data", message: "the file holds no question" }], []);
}

/** All questions of a paragraph, or what is wrong with it. */
function readParagraph(
  source: Source,
  path: Path,
  title: string,
  number: number,
  finder: SectionFinder | null,
): readonly Part[] {
  const checked = checkShape(paragraphShape, sourceAt(source, path), CODES);
  if (!("value" in checked)) return checked.map((problem) => ({ problem: below(path, problem) }));
  const { context, qas } = checked.value;
  const found =
    finder === null ? { ref: { doc: title, section: `${title}#${number}` }, start: 0 } : finder.byText(context);
  if (!("ref" in found)) {
    const message = `the paragraph of ${qas.length} questions ${found.reason}`;
    return [
      { problem: { code: CODES.notInCorpus, path: pathText(path), at: source.locate([...path, "context"]), message } },
    ];
  }
  const paragraph: Paragraph = { title, context, section: found.ref, start: found.start };
  return qas.flatMap((_, index) => readQuestion(source, [...path, "qas", index], paragraph));
}

function readQuestion(source: Source, path: Path, paragraph: Paragraph): readonly Part[] {
  const checked = checkShape(questionShape, sourceAt(source, path), CODES);
  if (!("value" in checked)) return checked.map((problem) => ({ problem: below(path, problem) }));
  const question = checked.value;
  const at = source.locate(path);
  const row = (
    gold: ImportedRow["item"]["gold"],
    texts: readonly string[],
    left: readonly string[],
  ): readonly Part[] => {
    // Every accepted answer is a right one, so several are one claim of alternatives.
    const claims: readonly Claim[] = texts.length > 1 ? [texts] : texts;
    const warnings = left.map((message) => ({ code: CODES.leftOut, path: pathText(path), at, message }));
    const { id, question: asked } = question;
    const item = { id, topic: paragraph.title, phrasings: [asked], answerable: gold.length > 0, gold };
    return [{ row: { item: claims.length === 0 ? item : { ...item, claims }, path: pathText(path), at }, warnings }];
  };
  const answers = question.answers ?? [];
  if (question.is_impossible === true) {
    return row([], [], answers.length === 0 ? [] : [`question ${question.id} is impossible: its answers are left out`]);
  }
  const [first] = answers;
  if (first === undefined) {
    const message = `question ${question.id} has neither an answer nor is_impossible: true`;
    return [{ problem: { code: CODES.noGold, path: pathText(path), at, message } }];
  }
  const start = answerStart(paragraph.context, first);
  if (start === null) {
    const place = source.locate([...path, "answers", 0, "answer_start"]);
    const found = JSON.stringify(sliceCodePoints(paragraph.context, first.answer_start, first.answer_start + 20));
    const message = `answer ${JSON.stringify(first.text)} does not stand at ${first.answer_start} of its paragraph, found ${found}`;
    return [{ problem: { code: CODES.value, path: pathText(path), at: place, message } }];
  }
  const from = paragraph.start + start;
  const gold = [{ ...paragraph.section, start: from, end: from + codePoints(first.text) }];
  const texts = [...new Set(answers.map((answer) => answer.text.trim()).filter((text) => text !== ""))];
  const elsewhere = answers.filter(({ answer_start: at, text }) => {
    return at >= first.answer_start + codePoints(first.text) || at + codePoints(text) <= first.answer_start;
  });
  const places = elsewhere.map(({ text, answer_start: at }) => `${JSON.stringify(text)} at ${at}`);
  const left = [`the gold stretch is that of the first answer; left out: ${places.join(", ")}`];
  return row(gold, texts, places.length === 0 ? [] : left);
}

/** Where an answer begins in code points; some files count UTF-16 units. Null when it stands at neither. */
function answerStart(context: string, answer: { readonly text: string; readonly answer_start: number }): number | null {
  const { text, answer_start: start } = answer;
  if (sliceCodePoints(context, start, start + codePoints(text)) === text) return start;
  return context.startsWith(text, start) ? codePoints(context.slice(0, start)) : null;
}

function below(path: Path, problem: Problem): Problem {
  return { ...problem, path: [pathText(path), problem.path].filter((part) => part !== "").join(".") };
}
