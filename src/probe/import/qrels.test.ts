import { describe, expect, it } from "vitest";
import { lintGoldSet } from "../gold-lint.ts";
import { readGoldSet } from "../gold-set.ts";
import type { Imported } from "./imported.ts";
import { importQrels } from "./qrels.ts";
import { readQueries } from "./queries.ts";

const CORPUS = [
  { doc: "berths", section: "berths#prices", text: "A berth costs nine crowns." },
  { doc: "berths", section: "berths#power", text: "Sockets stand on the west pier." },
  { doc: "tides", section: "tides#table", text: "High water is at noon." },
];
const QUERIES = [
  "q1\tWhat does a berth cost?",
  "q1\tHow much does one pay for a berth?",
  "q1\tThe price of a berth, what does it come to?",
  "q2\tWhen is high water?",
  "",
].join("\n");
const TREC = "q1 0 berths#prices 2\nq1 0 tides#table 0\nq2 Q0 tides#table 1\n";
const BEIR = "query-id\tcorpus-id\tscore\nq1\tberths#prices\t1\nq2\ttides#table\t1\n";

const imported = (text: string, queries = QUERIES, corpus: typeof CORPUS | null = CORPUS): Imported =>
  importQrels(text, { queries: readQueries(queries), corpus, topic: "imported" });
const codes = (problems: Imported["problems"]) => problems.map(({ code, at }) => [code, at?.line, at?.column]);

describe("importQrels", () => {
  it.each([
    ["TREC", TREC],
    ["BEIR", BEIR],
  ])("makes an item of each query from %s judgements above 0", (_, text) => {
    const { items, problems } = imported(text);
    expect(problems).toEqual([]);
    expect(items.map(({ id, gold }) => [id, gold])).toEqual([
      ["q1", [{ doc: "berths", section: "berths#prices" }]],
      ["q2", [{ doc: "tides", section: "tides#table" }]],
    ]);
    expect(items[0]).toMatchObject({ topic: "imported", answerable: true });
  });

  it("takes rows of one query for its phrasings: gold lint takes three of them and the import warns of one", () => {
    const { items, warnings } = imported(TREC);
    expect(items.map(({ phrasings }) => phrasings.length)).toEqual([3, 1]);
    expect(warnings).toMatchObject([{ code: "E248", path: "q2", at: { line: 3, column: 1 } }]);
    const read = readGoldSet(JSON.stringify(items[0]));
    expect("items" in read && lintGoldSet(read, CORPUS).errors).toEqual([]);
    const refused = readGoldSet(JSON.stringify(items[1]));
    expect("items" in refused ? [] : refused.map(({ code, path }) => [code, path])).toEqual([["E205", "q2.phrasings"]]);
  });

  it("takes at most three phrasings and names the others", () => {
    const { items, warnings } = imported("q1 0 berths#prices 1", `${QUERIES}q1\tBerth price, please?`);
    expect(items[0]?.phrasings).toHaveLength(3);
    expect(warnings.find(({ path }) => path === "q1")?.message).toContain('left out: "Berth price, please?"');
  });

  it("takes ids for sections without a corpus, the document before the first #", () => {
    expect(imported(TREC, QUERIES, null).items[0]?.gold).toEqual([{ doc: "berths", section: "berths#prices" }]);
    expect(imported("q1 0 MED-10 1", QUERIES, null).items[0]?.gold).toEqual([{ doc: "MED-10", section: "MED-10" }]);
  });

  it("reads queries as BEIR's JSON lines, with topics where they have them", () => {
    const queries = '{"_id": "q1", "text": "What does a berth cost?", "metadata": {"topic": "berths"}}\n';
    expect(imported(BEIR, queries).items).toMatchObject([{ id: "q1", topic: "berths" }]);
  });

  it("leaves nothing out silently: each row that made no item has its reason, line and column", () => {
    const text = [
      "q1 0 berths#prices 1",
      "q1 0 berths#power",
      "q1 0 berths#power high",
      "q3 0 tides#table 1",
      "q2 0 tides#table 0",
      "q4 0 gone 1",
    ].join("\n");
    const { items, problems } = imported(text, `${QUERIES}q4\tWhere is the crane?`);
    expect(items.map(({ id }) => id)).toEqual(["q1"]);
    expect(codes(problems)).toEqual([
      ["E243", 2, 1],
      ["E243", 3, 19],
      ["E242", 4, 1],
      ["E246", 5, 1],
      ["E247", 6, 6],
    ]);
    expect(problems.map(({ message }) => message)).toEqual([
      "found 3 columns, expected 4: query, 0, document, relevance",
      'found "high", expected a number as relevance',
      "query q3 has no text in the queries file",
      "query q2 has no document judged above 0",
      "document gone of query q4 is the id of no section of the corpus",
    ]);
  });

  it("does not choose between sections of one document", () => {
    const { items, problems } = imported("q1 0 berths 1");
    expect(items).toEqual([]);
    expect(problems[0]?.message).toContain("is the id of 2 sections of the corpus");
  });

  it("names queries that are judged nowhere, and documents of a query that the corpus lacks beside others", () => {
    const { warnings } = imported("q1 0 berths#prices 1\nq1 0 gone 1");
    expect(warnings.map(({ message }) => message)).toEqual([
      "1 queries of the queries file are judged nowhere and left out: q2",
      "document gone of query q1 is the id of no section of the corpus",
    ]);
  });

  it("says so when there is nothing, and refuses what a gold set cannot hold", () => {
    expect(imported("").problems).toMatchObject([{ code: "E242", message: "the qrels hold no judgement" }]);
    const pooled = importQrels(TREC, { queries: readQueries(QUERIES), corpus: CORPUS, topic: "pooled" });
    expect([pooled.items, codes(pooled.problems)]).toEqual([
      [],
      [
        ["E205", 1, 1],
        ["E205", 3, 1],
      ],
    ]);
  });
});

describe("readQueries", () => {
  it("places what is wrong with a line", () => {
    const { byId, problems } = readQueries('q1\n{"_id": "q2"}\n{"_id": "q3", "text": }\nq4\ttwo\ttabs\nq5\tfine');
    expect([...byId.keys()]).toEqual(["q5"]);
    expect(codes(problems)).toEqual([
      ["E243", 1, 1],
      ["E245", 2, 1],
      ["E241", 3, 23],
      ["E243", 4, 4],
    ]);
  });

  it("passes over a header, a byte order mark and carriage returns", () => {
    expect([...readQueries("\uFEFFquery-id\ttext\r\n7\tWhy?\r\n").byId]).toEqual([
      ["7", { texts: ["Why?"], topic: null }],
    ]);
  });

  it("tells a row that stands twice and a topic that differs", () => {
    const row = (topic?: string) => JSON.stringify({ _id: "1", text: "Why?", topic });
    const { byId, warnings } = readQueries([row("a"), row("a"), row("b")].join("\n"));
    expect(byId.get("1")).toEqual({ texts: ["Why?"], topic: "a" });
    expect(warnings.map(({ message, at }) => [at?.line, message])).toEqual([
      [2, "query 1 stands twice with the same text"],
      [3, "query 1 stands twice with the same text"],
      [3, "query 1 has topic b here and a before, which is kept"],
    ]);
  });

  it.each([
    [
      "of the ad hoc tracks",
      "<top>\n<num> Number: 301\n<title> berth prices\n\n<desc> Description:\nWhat does a\nberth cost?\n<narr> x\n</top>\n",
    ],
    [
      "with closed elements",
      '<topics><topic number="301"><query>berth &amp; prices</query><question>What does a berth cost?</question></topic></topics>',
    ],
  ])("reads TREC topics %s", (_, text) => {
    expect([...readQueries(text).byId]).toEqual([
      ["301", { texts: [expect.stringMatching(/^berth (& )?prices$/), "What does a berth cost?"], topic: null }],
    ]);
  });

  it("tells a topic without a number or a title, and a text without topics", () => {
    const { problems } = readQueries("<top>\n<title> x\n</top>\n<top>\n<num> Number: 1\n</top>\n");
    expect(problems.map(({ message, at }) => [at?.line, message])).toEqual([
      [1, "the topic has no number"],
      [4, "topic 1 has no title"],
    ]);
    expect(readQueries("<html></html>").problems).toHaveLength(1);
  });
});

describe("importQrels of a document judged twice", () => {
  it("takes the first judgement and tells the other", () => {
    const { items, problems, warnings } = imported("q2 0 tides#table 1\nq2 0 tides#table 1\nq2 0 tides#table 0\n");
    expect(items.map(({ gold }) => gold.length)).toEqual([1]);
    expect(problems.map(({ code, at, message }) => [code, at?.line, message])).toEqual([
      ["E250", 3, "document tides#table of query q2 is judged 0 here and 1 in line 1, which is taken"],
    ]);
    expect(warnings.some(({ at }) => at?.line === 2)).toBe(true);
  });
});
