import { describe, expect, it } from "vitest";
import { extractAnswer } from "./answer.ts";
import { learnTerms, lexicalEmbedder } from "./lexical-embedder.ts";
import { rerank } from "./rerank.ts";
import { terms } from "./terms.ts";

const texts: readonly (readonly [section: string, text: string])[] = [
  ["harbour#fuel", "Fuel is sold at the eastern pier. Sales end at six in the evening."],
  ["harbour#berths", "A berth costs nine crowns a night. Berths with power cost three crowns more."],
  ["island#terns", "Terns nest on the gravel island. Visitors keep away from the nests in May."],
];
const chunks = texts.map(([section, text]) => {
  return { id: section, doc: section.split("#")[0]!, section, start: 0, end: text.length, text };
});
const embedder = lexicalEmbedder(learnTerms(texts.map(([, text]) => text)));
const termSets = texts.map(([, text]) => new Set(terms(text)));
const ranked = (question: string, rows = [0, 1, 2]) => {
  const hits = rows.map((row) => ({ row, score: 0.5 }));
  return rerank(question, hits, { chunks, termsOf: (row) => termSets[row]!, embedder });
};

describe("rerank", () => {
  it("puts first what holds most of the question's weight", () => {
    expect(ranked("When do the terns nest on the island?").map(({ chunk }) => chunk.section)[0]).toBe("island#terns");
  });

  it("breaks ties by section id, whatever order the hits come in", () => {
    const order = (rows: number[]) => ranked("entirely unrelated", rows).map(({ chunk }) => chunk.section);
    expect(order([2, 0, 1])).toEqual(["harbour#berths", "harbour#fuel", "island#terns"]);
    expect(order([1, 2, 0])).toEqual(order([2, 0, 1]));
  });

  it("gives an overlap of 1 to a chunk that holds the whole question and 0 to one that holds nothing", () => {
    const overlap = new Map(ranked("terns nest").map(({ chunk, overlap: share }) => [chunk.section, share]));
    expect(overlap.get("island#terns")).toBe(1);
    expect(overlap.get("harbour#fuel")).toBe(0);
  });
});

describe("extractAnswer", () => {
  it("answers with the telling sentence first and cites its section first", () => {
    const question = "What does a berth with power cost?";
    const answer = extractAnswer(question, ranked(question), embedder);
    expect(answer.answer).toMatch(/^Berths with power cost three crowns more\./);
    expect(answer.citations[0]).toEqual({ doc: "harbour", section: "harbour#berths" });
    expect(answer.refused).toBe(false);
  });

  it("refuses without citations when no chunk holds enough of the question", () => {
    const question = "Who painted the ceiling of the cathedral?";
    expect(extractAnswer(question, ranked(question), embedder)).toMatchObject({ refused: true, citations: [] });
    expect(extractAnswer(question, [], embedder)).toMatchObject({ refused: true, citations: [] });
  });

  it("does not repeat a sentence that two overlapping chunks hold", () => {
    const question = "berth cost night";
    const double = [...ranked(question), ...ranked(question)];
    const { answer } = extractAnswer(question, double, embedder);
    expect(answer.split("nine crowns")).toHaveLength(2);
  });
});
