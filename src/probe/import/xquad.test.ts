import { describe, expect, it } from "vitest";
import { lintGoldSet } from "../gold-lint.ts";
import { readGoldSet } from "../gold-set.ts";
import type { Imported } from "./imported.ts";
import { importXquad } from "./xquad.ts";

const CONTEXT = "A berth costs nine crowns 🛥 a night. Power is two crowns more.";
const answer = (text: string) => ({ text, answer_start: Array.from(CONTEXT.split(text)[0] ?? "").length });
const aQuestion = (id: string, over: Record<string, unknown> = {}) => ({
  id,
  question: "What does power cost?",
  answers: [answer("two crowns"), answer("two crowns more"), answer("two crowns")],
  ...over,
});
const fileOf = (qas: readonly unknown[], context: unknown = CONTEXT) =>
  JSON.stringify({ version: "1.1", data: [{ title: "Berths", paragraphs: [{ context, qas }] }] }, null, 1);
const CORPUS = [
  { doc: "harbour", section: "prices", text: `Prices\n\n${CONTEXT}\n` },
  { doc: "harbour", section: "tides", text: "High water is at noon." },
];
const found = (problems: Imported["problems"], text: string) =>
  problems.map(({ code, at, message }) => [code, text.split("\n")[(at?.line ?? 0) - 1]?.trim(), message]);

describe("importXquad", () => {
  it("makes titles topics, paragraphs sections, the first answer gold in code points and all answers claims", () => {
    const { items, problems } = importXquad(fileOf([aQuestion("q1")]), null);
    expect(problems).toEqual([]);
    expect(items).toEqual([
      {
        id: "q1",
        topic: "Berths",
        phrasings: ["What does power cost?"],
        answerable: true,
        gold: [{ doc: "Berths", section: "Berths#0", start: 46, end: 56 }],
        claims: [["two crowns", "two crowns more"]],
      },
    ]);
  });

  it("finds paragraphs in a corpus, offsets shifted to the section that holds them", () => {
    const { items } = importXquad(fileOf([aQuestion("q1")]), CORPUS);
    const [span] = items[0]?.gold ?? [];
    expect(span).toMatchObject({ doc: "harbour", section: "prices", start: 54 });
    expect(
      Array.from(CORPUS[0]?.text ?? "")
        .slice(span?.start, span?.end)
        .join(""),
    ).toBe("two crowns");
  });

  it("takes offsets in UTF-16 units where code points do not fit", () => {
    const answers = [{ text: "two crowns", answer_start: CONTEXT.indexOf("two crowns") }];
    expect(importXquad(fileOf([aQuestion("q1", { answers })]), null).items[0]?.gold[0]?.start).toBe(46);
  });

  it("makes an impossible question one to be refused", () => {
    const { items } = importXquad(fileOf([aQuestion("q1", { answers: [], is_impossible: true })]), null);
    expect(items).toMatchObject([{ answerable: false, gold: [] }]);
  });

  it("warns that one phrasing is not three, and is otherwise what gold lint takes", () => {
    const { items, warnings } = importXquad(fileOf([aQuestion("q1"), aQuestion("q2")]), CORPUS);
    expect(warnings.map(({ code, path }) => [code, path])).toEqual([
      ["E248", "data[0].paragraphs[0].qas[0]"],
      ["E248", "data[0].paragraphs[0].qas[1]"],
    ]);
    const others = ["How much is power?", "The price of power, what is it?"];
    const complete = items.map((item) => JSON.stringify({ ...item, phrasings: [...item.phrasings, ...others] }));
    const read = readGoldSet(complete.join("\n"));
    if (!("items" in read)) throw new Error(JSON.stringify(read));
    expect(lintGoldSet(read, CORPUS).errors).toEqual([]);
  });

  it("leaves nothing out silently: each question that made no item has its reason and its place", () => {
    const text = fileOf([
      aQuestion("q1"),
      aQuestion("q2", { answers: [{ text: "nine", answer_start: 0 }] }),
      aQuestion("q3", { answers: [] }),
      { id: "q4", question: 7 },
      aQuestion("q1"),
    ]);
    const { items, problems } = importXquad(text, null);
    expect(items.map(({ id }) => id)).toEqual(["q1"]);
    expect(found(problems, text)).toEqual([
      ["E245", '"answer_start": 0', 'answer "nine" does not stand at 0 of its paragraph, found "A berth costs nine c"'],
      ["E246", "{", "question q3 has neither an answer nor is_impossible: true"],
      ["E243", '"question": 7', "found 7 for question, expected string"],
      ["E250", "{", expect.stringMatching(/^id "q1" is used twice; the first is in line \d+, and is taken$/)],
    ]);
  });

  it("reports a paragraph that the corpus lacks or has twice, with its number of questions", () => {
    const lost = fileOf([aQuestion("q1"), aQuestion("q2")], "Another text.");
    expect(importXquad(lost, CORPUS).problems[0]).toMatchObject({
      code: "E247",
      path: "data[0].paragraphs[0]",
      message: "the paragraph of 2 questions stands in no section of the corpus",
    });
    const twice = [
      ...CORPUS,
      { doc: "copy", section: "prices", text: CONTEXT },
      { doc: "copy", section: "b", text: CONTEXT },
    ];
    expect(importXquad(fileOf([aQuestion("q1")]), twice).problems[0]?.message).toContain("stands in 2 sections");
  });

  it.each([
    ["broken JSON", '{"data": [\n  {"title": }]}', "E241", 2, 13],
    ["no data", '{"paragraphs": [], "data": 3}', "E243", 1, 28],
    ["an article without paragraphs", '{"data": [{"title": "a"}]}', "E242", 1, 11],
    ["a blank context", '{"data": [{"title": "a", "paragraphs": [\n{"context": " ", "qas": []}]}]}', "E245", 2, 13],
  ])("places %s by line and column", (_, text, code, line, column) => {
    expect(importXquad(text, null)).toMatchObject({ items: [], problems: [{ code, at: { line, column } }] });
  });

  it("says so when there is no question at all", () => {
    expect(importXquad('{"data": []}', null).problems).toMatchObject([{ code: "E242" }]);
  });
});

describe("importXquad of JSON lines", () => {
  const line = (id: string, over: Record<string, unknown> = {}) =>
    JSON.stringify({
      id,
      topic: "prices",
      question: "What does a berth cost?",
      doc: "harbour",
      section: "tides",
      start: 14,
      end: 21,
      answer: "at noon",
      ...over,
    });

  it("takes a disfluent rewrite for the second phrasing, and the answer for a claim", () => {
    const { items, warnings } = importXquad(line("q1", { disfluent: "What does power no wait a berth cost?" }), CORPUS);
    expect(items).toMatchObject([{ phrasings: [expect.any(String), expect.any(String)], claims: ["at noon"] }]);
    expect(warnings[0]?.message).toContain("q1 has 2 of 3 phrasings");
  });

  it("checks each stretch against the corpus, by line and column", () => {
    const lines = [
      line("q1"),
      line("q2", { start: 0, end: 4 }),
      line("q3", { section: "gone" }),
      line("q4", { end: 99 }),
    ];
    const { items, problems } = importXquad([...lines, '{"id": "q5"', line("q6", { end: 3 })].join("\n"), CORPUS);
    expect(items.map(({ id }) => id)).toEqual(["q1"]);
    expect(problems.map(({ code, at }) => [code, at?.line])).toEqual([
      ["E245", 2],
      ["E247", 3],
      ["E245", 4],
      ["E241", 5],
      ["E245", 6],
    ]);
    expect(problems[0]?.message).toBe('found "High" at 0, expected the answer "at noon"');
    expect(problems[0]?.at?.column).toBe((lines[1]?.indexOf('"start":') ?? 0) + 9);
  });

  it("keeps two articles of one title apart and tells it", () => {
    const paragraph = (context: string, id: string) => {
      const answers = [{ text: context.slice(0, 3), answer_start: 0 }];
      return { title: "Berths", paragraphs: [{ context, qas: [{ id, question: "What?", answers }] }] };
    };
    const text = JSON.stringify({ data: [paragraph("One berth.", "a"), paragraph("Two berths.", "b")] });
    const { items, warnings } = importXquad(text, null);
    expect(items.map(({ gold }) => gold[0]?.section)).toEqual(["Berths#0", "Berths#1"]);
    expect(warnings.map(({ code, message }) => [code, message])).toContainEqual([
      "E250",
      'title "Berths" stands twice: its sections go on at Berths#1',
    ]);
  });
});
