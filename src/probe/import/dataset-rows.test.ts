import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { importDataset } from "./dataset-rows.ts";
import { isParquet, readParquet } from "./parquet-rows.ts";
import { readRowSources } from "./row-source.ts";

const CORPUS = [
  { doc: "berths", section: "berths#prices", text: "A berth costs nine crowns." },
  { doc: "berths", section: "berths#power", text: "Sockets stand on the west pier." },
];
const OPTIONS = { corpus: CORPUS, topic: "imported" };
const imported = (text: string) => importDataset(readRowSources(text), OPTIONS);
const lines = (...rows: object[]) => rows.map((row) => JSON.stringify(row)).join("\n");
const PRICES = { doc: "berths", section: "berths#prices" };
const SPAN = { ...PRICES, start: 0, end: 26 };
const QUESTION = "What does a berth cost?";

describe("importDataset", () => {
  it.each([
    [
      "Hugging Face rows as SQuAD has them",
      lines({
        id: "q1",
        title: "B",
        context: CORPUS[0]?.text,
        question: QUESTION,
        answers: { text: ["nine", "9", "nine"], answer_start: [14, 14, 14] },
      }),
      { id: "q1", gold: [SPAN], claims: [["nine", "9"]] },
    ],
    [
      "the answer of Hugging Face's rows endpoint",
      JSON.stringify({
        features: [],
        rows: [{ row_idx: 0, row: { id: "q1", question: QUESTION, answer: "nine", sections: ["berths#prices"] } }],
      }),
      { id: "q1", gold: [PRICES], claims: ["nine"] },
    ],
    [
      "a ragas test set",
      lines({
        user_input: QUESTION,
        reference: "Nine crowns.",
        reference_contexts: [CORPUS[0]?.text],
        synthesizer_name: "x",
      }),
      { id: "row-1", gold: [SPAN], claims: ["Nine crowns."] },
    ],
    [
      "a ragas test set of version 0.1",
      lines({
        question: QUESTION,
        ground_truth: "Nine crowns.",
        contexts: [CORPUS[0]?.text],
        evolution_type: "simple",
        episode_done: true,
      }),
      { id: "row-1", gold: [SPAN], claims: ["Nine crowns."] },
    ],
    [
      "a ragas test set as CSV, its contexts a list in a cell",
      `user_input,reference_contexts,reference\n${QUESTION},"[""A berth costs nine crowns.""]",Nine crowns.\n`,
      { id: "row-1", gold: [SPAN], claims: ["Nine crowns."] },
    ],
    [
      "a LangSmith export",
      JSON.stringify([
        {
          id: "e1",
          inputs: { question: QUESTION },
          outputs: { answer: "nine" },
          metadata: { section_ids: ["berths#prices"], topic: "prices" },
        },
      ]),
      { id: "e1", topic: "prices", gold: [PRICES], claims: ["nine"] },
    ],
    [
      "a Langfuse export",
      lines({
        id: "i1",
        input: QUESTION,
        expectedOutput: "nine",
        metadata: { sections: "berths#prices, berths#power" },
        status: "ACTIVE",
      }),
      { id: "i1", gold: [PRICES, { doc: "berths", section: "berths#power" }], claims: ["nine"] },
    ],
    [
      "a Langfuse export with objects",
      lines({
        id: 7,
        input: { query: QUESTION },
        expectedOutput: { answers: ["nine", "9"] },
        metadata: { sections: ["berths#prices"] },
      }),
      { id: "7", gold: [PRICES], claims: [["nine", "9"]] },
    ],
  ])("reads %s", (_, text, expected) => {
    const { items, problems, rows } = imported(text);
    expect(problems).toEqual([]);
    expect(items).toMatchObject([{ topic: "imported", phrasings: [QUESTION], answerable: true, ...expected }]);
    expect(rows).toHaveLength(1);
  });

  it("makes a question without any accepted answer one to be refused", () => {
    const row = { id: "q1", question: QUESTION, context: CORPUS[0]?.text, answers: { text: [], answer_start: [] } };
    expect(imported(lines(row)).items).toMatchObject([{ answerable: false, gold: [] }]);
  });

  it("leaves out what it cannot place, each row with its reason and line", () => {
    const good = { question: QUESTION, sections: ["berths#prices"] };
    const text = [
      lines({ ...good, id: "a" }, { answer: "x" }, { ...good, id: "a" }, { question: QUESTION }),
      "{broken",
      lines({ ...good, sections: ["gone"] }, { ...good, status: "ARCHIVED" }, { ...good, id: "b", output: { x: 1 } }),
    ].join("\n");
    const { items, problems, warnings, rows } = imported(text);
    expect(items.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(problems.map(({ code, at }) => [code, at?.line])).toEqual([
      ["E242", 2],
      ["E250", 3],
      ["E246", 4],
      ["E241", 5],
      ["E247", 6],
      ["E249", 7],
    ]);
    expect(rows).toHaveLength(8);
    expect(warnings.some(({ message }) => message === "output is no text: it is left out")).toBe(true);
  });

  it("reads parquet like the same rows as JSON lines, and says what it cannot read", async () => {
    const rows = [0, 1, 2].map((i) => ({
      id: `q${i}`,
      question: `${QUESTION} ${i}`,
      answer: "nine",
      section: "berths#prices",
      doc: "berths",
    }));
    const columns = (["id", "question", "answer", "section", "doc"] as const).map((name) => ({
      name,
      data: rows.map((row) => row[name]),
    }));
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData: columns }));
    expect(isParquet(bytes)).toBe(true);
    expect(importDataset(await readParquet(bytes), OPTIONS).items).toEqual(imported(lines(...rows)).items);
    const broken = bytes.slice();
    broken.fill(0xff, 4, bytes.length - 40);
    expect((await readParquet(broken)).problems[0]?.message).toMatch(/^not readable as parquet/);
  });
});
