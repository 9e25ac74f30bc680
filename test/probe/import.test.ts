import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { CorpusSection } from "../../src/probe/corpus.ts";
import { lintGoldSet } from "../../src/probe/gold-lint.ts";
import { readGoldSet } from "../../src/probe/gold-set.ts";
import type { ImportedItem } from "../../src/probe/import/imported.ts";
import { importPromptfoo } from "../../src/probe/import/promptfoo.ts";
import { importQrels } from "../../src/probe/import/qrels.ts";
import { readQueries } from "../../src/probe/import/queries.ts";
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

  it.each(["TREC", "BEIR"])("finds the section of every question in %s judgements of them", (format) => {
    const judged = questions.map(({ id, section }) => {
      return format === "TREC" ? `${id} 0 ${section} 1` : `${id}\t${section}\t1`;
    });
    const header = format === "TREC" ? [] : ["query-id\tcorpus-id\tscore"];
    const asked = questions.flatMap(({ id, question, disfluent }) => {
      return [question, disfluent].flatMap((text) => (text === undefined ? [] : [JSON.stringify({ _id: id, text })]));
    });
    const queries = readQueries(asked.join("\n"));
    const { items, problems } = importQrels([...header, ...judged].join("\n"), { queries, corpus, topic: "imported" });
    expect([queries.problems, problems]).toEqual([[], []]);
    expect(items.map(({ id, gold }) => [id, gold[0]?.section])).toEqual(
      questions.map(({ id, section }) => [id, section]),
    );
    expectAccepted(items, corpus);
  });

  it("finds the section of every promptfoo context by its text", () => {
    const texts = new Map(corpus.map(({ section, text }) => [section, text]));
    const tests = questions.map(({ id, topic, question, disfluent, section, answer }) => ({
      vars: { question: [question, ...(disfluent === undefined ? [] : [disfluent])], context: texts.get(section) },
      assert: [{ type: "icontains", value: answer }],
      metadata: { id, topic },
    }));
    const { items, problems } = importPromptfoo(JSON.stringify({ tests }), { corpus, topic: "imported" });
    expect(problems).toEqual([]);
    expect(items.map(({ id, gold }) => [id, gold[0]?.section])).toEqual(
      questions.map(({ id, section }) => [id, section]),
    );
    expect(items.map(({ claims }) => claims?.[0])).toEqual(questions.map(({ answer }) => answer.trim()));
    expectAccepted(items, corpus);
  });
});
