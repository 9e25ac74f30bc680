import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { CorpusSection } from "../../src/probe/corpus.ts";
import { lintGoldSet } from "../../src/probe/gold-lint.ts";
import { readGoldSet } from "../../src/probe/gold-set.ts";
import type { ImportedItem } from "../../src/probe/import/imported.ts";
import { importXquad } from "../../src/probe/import/xquad.ts";

/** A set of real questions that lies beside the repository where there is one; it is never copied into it. */
const DATA = process.env["SLUICE_XQUAD"] ?? fileURLToPath(new URL("../../../shared/data/xquad", import.meta.url));
const isThere = existsSync(join(DATA, "questions.jsonl"));
if (!isThere) console.warn(`skipped: no questions at ${DATA}; SLUICE_XQUAD names another place`);

interface RealQuestion {
  readonly id: string;
  readonly topic: string;
  readonly question: string;
  readonly section: string;
  readonly start: number;
  readonly end: number;
  readonly answer: string;
  readonly disfluent?: string;
}

const linesOf = <T>(name: string): readonly T[] =>
  readFileSync(join(DATA, name), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

/** Gold lint refuses nothing of the items once their missing phrasings are written. */
function expectAccepted(items: readonly ImportedItem[], corpus: readonly CorpusSection[]): void {
  const written = items.map((item) => ({ ...item, phrasings: [0, 1, 2].map((i) => item.phrasings[i] ?? `${i} ?`) }));
  const read = readGoldSet(written.map((item) => JSON.stringify(item)).join("\n"));
  if (!("items" in read)) throw new Error(JSON.stringify(read.slice(0, 3)));
  expect(lintGoldSet(read, corpus).errors).toEqual([]);
}

describe.runIf(isThere)("import of 711 real questions on 150 real sections", () => {
  const corpus = isThere ? linesOf<CorpusSection>("corpus.jsonl") : [];
  const questions = isThere ? linesOf<RealQuestion>("questions.jsonl") : [];

  it("reads the JSON lines without a loss: every question, stretch, answer and rewrite", () => {
    const { items, problems, warnings } = importXquad(readFileSync(join(DATA, "questions.jsonl"), "utf8"), corpus);
    expect(problems).toEqual([]);
    expect(items.map(({ id }) => id)).toEqual(questions.map(({ id }) => id));
    expect(items.map(({ phrasings }) => phrasings)).toEqual(
      questions.map(({ question, disfluent }) => [question, disfluent].flatMap((text) => text?.trim() ?? [])),
    );
    expect(items.map(({ gold }) => [gold[0]?.start, gold[0]?.end])).toEqual(
      questions.map(({ start, end }) => [start, end]),
    );
    expect(warnings).toHaveLength(items.length);
    expectAccepted(items, corpus);
  });

  it("reads the same questions to the same gold from their SQuAD shape", () => {
    const data = [...new Set(corpus.map(({ doc }) => doc))].map((title) => ({
      title,
      paragraphs: corpus
        .filter(({ doc }) => doc === title)
        .map(({ section, text: context }) => ({
          context,
          qas: questions
            .filter((one) => one.section === section)
            .map(({ id, question, answer, start }) => ({
              id,
              question,
              answers: [{ text: answer, answer_start: start }],
            })),
        })),
    }));
    const { items, problems } = importXquad(JSON.stringify({ version: "1.1", data }), corpus);
    expect(problems).toEqual([]);
    const goldOf = new Map(items.map(({ id, gold }) => [id, gold[0]]));
    for (const { id, section, start, end } of questions) {
      expect(goldOf.get(id)).toMatchObject({ section, start, end });
    }
    expectAccepted(items, corpus);
  });
});
