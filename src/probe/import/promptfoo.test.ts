import { describe, expect, it } from "vitest";
import { lintGoldSet } from "../gold-lint.ts";
import { readGoldSet } from "../gold-set.ts";
import { importPromptfoo } from "./promptfoo.ts";

const CORPUS = [
  { doc: "berths", section: "berths#prices", text: "# Prices\n\nA berth costs nine crowns." },
  { doc: "berths", section: "berths#power", text: "Sockets stand on the west pier." },
];
const imported = (text: string, corpus: typeof CORPUS | null = CORPUS) =>
  importPromptfoo(text, { corpus, topic: "imported" });

const CONFIG = `description: Harbour
prompts: ['{{question}}']
providers: [openai:gpt-5-mini]
defaultTest:
  metadata: { category: prices }
  assert:
    - { type: llm-rubric, value: is polite }
tests:
  - description: what a berth costs
    vars:
      question:
        - What does a berth cost?
        - How much does one pay for a berth?
        - The price of a berth, what does it come to?
    assert:
      - { type: contains, value: nine crowns }
      - type: assert-set
        assert:
          - { type: icontains-all, value: [nine, crowns] }
          - { type: javascript, value: output.length < 99 }
    metadata: { id: berth-price, gold: [{ doc: berths, section: 'berths#prices' }] }
  - vars: { query: Where are the sockets? }
    metadata: { topic: power, sections: 'berths#power' }
  - vars: { question: Which berth is the prettiest? }
    assert: [{ type: is-refusal }]
  - vars: { question: What do nine crowns buy?, context: A berth costs nine crowns. }
`;

describe("importPromptfoo", () => {
  it("makes lists phrasings, expected texts claims, refusals unanswerable, and finds gold by id and by text", () => {
    const { items, problems } = imported(CONFIG);
    expect(problems).toEqual([]);
    expect(items).toEqual([
      {
        id: "berth-price",
        topic: "prices",
        phrasings: [
          "What does a berth cost?",
          "How much does one pay for a berth?",
          "The price of a berth, what does it come to?",
        ],
        answerable: true,
        gold: [{ doc: "berths", section: "berths#prices" }],
        claims: ["nine crowns", "nine", "crowns"],
      },
      {
        id: "test-2",
        topic: "power",
        phrasings: ["Where are the sockets?"],
        answerable: true,
        gold: [{ doc: "berths", section: "berths#power" }],
      },
      { id: "test-3", topic: "prices", phrasings: ["Which berth is the prettiest?"], answerable: false, gold: [] },
      {
        id: "test-4",
        topic: "prices",
        phrasings: ["What do nine crowns buy?"],
        answerable: true,
        gold: [{ doc: "berths", section: "berths#prices", start: 10, end: 36 }],
      },
    ]);
  });

  it("gives gold lint nothing to refuse in an item of three phrasings, and warns of each that has fewer", () => {
    const { items, warnings } = imported(CONFIG);
    const read = readGoldSet(JSON.stringify(items[0]));
    if (!("items" in read)) throw new Error(JSON.stringify(read));
    expect(lintGoldSet(read, CORPUS).errors).toEqual([]);
    expect(warnings.filter(({ code }) => code === "E248").map(({ path, at }) => [path, at?.line])).toEqual([
      ["tests[1]", 22],
      ["tests[2]", 24],
      ["tests[3]", 26],
    ]);
  });

  it("names assertions and parts of the config that a gold set has no place for", () => {
    const { warnings } = imported(`${CONFIG}scenarios: []\n`);
    expect(warnings.filter(({ code }) => code === "E249").map(({ message }) => message)).toEqual([
      "assertions that a gold set has no place for are left out: javascript 1, llm-rubric 4",
      "scenarios are not read, only tests are",
    ]);
  });

  it("takes what a merge key brings, and an empty key for no key", () => {
    const text = `checks: &checks { assert: [{ type: contains, value: ten days }] }
tests:
  - vars: { question: How long? }
    metadata: { section: 'berths#power' }
    <<: *checks
  - vars: { question: How long? }
    metadata: { section: 'berths#power', topic: "" }
    assert:
    description:
`;
    const { items, problems } = imported(text);
    expect(problems).toEqual([]);
    expect(items.map(({ claims, topic }) => [claims, topic])).toEqual([
      [["ten days"], "imported"],
      [undefined, "imported"],
    ]);
  });

  it("reads a list of tests alone, as YAML and as JSON", () => {
    const test = { vars: { input: "Where are the sockets?" }, metadata: { doc: "berths", section: "berths#power" } };
    const { items } = imported(JSON.stringify([test]));
    expect(items).toMatchObject([{ id: "test-1", topic: "imported", gold: [{ section: "berths#power" }] }]);
    expect(imported("- vars: { prompt: Where? }\n  metadata: { section: 'berths#power' }", null).items).toMatchObject([
      { gold: [{ doc: "berths", section: "berths#power" }] },
    ]);
  });

  it("leaves nothing out silently: each test that made no item has its reason, line and column", () => {
    const text = `tests:
  - file://more.yaml
  - vars: { language: French }
    metadata: { section: 'berths#power' }
  - vars: { question: 'file://question.txt' }
    metadata: { section: 'berths#power' }
  - vars: { question: Where? }
  - vars: { question: Where? }
    metadata: { sections: ['berths#gone'] }
  - vars: { question: Where?, context: The moon. }
  - vars: { question: Where? }
    assert: [{ type: is-refusal }]
    metadata: { section: 'berths#power' }
  - vars: { question: [one, two] }
    options: { disableVarExpansion: true }
    metadata: { section: 'berths#power' }
  - vars: { question: Where? }
    metadata: { gold: [{ doc: berths }] }
  - vars: { question: Where? }
    metadata: { id: pooled, topic: pooled, section: 'berths#power' }
`;
    const { items, problems } = imported(text);
    expect(items).toEqual([]);
    expect(problems.map(({ code, at }) => [code, at?.line, at?.column])).toEqual([
      ["E249", 2, 5],
      ["E242", 3, 11],
      ["E243", 5, 23],
      ["E246", 7, 5],
      ["E247", 9, 27],
      ["E247", 10, 40],
      ["E245", 11, 5],
      ["E243", 14, 23],
      ["E245", 18, 24],
      ["E205", 19, 5],
    ]);
    expect(problems[1]?.message).toMatch(/found the vars language; expected the question as one of question, query/);
    expect(problems[4]?.message).toBe("section berths#gone is the id of no section of the corpus");
    expect(problems[5]?.message).toBe("the context stands in no section of the corpus");
  });

  it.each([
    ["broken YAML", "tests: [", "E241", 1],
    ["no tests", "prompts: [a]", "E242", 1],
    ["tests in a file", "prompts: [a]\ntests: file://tests.csv", "E249", 2],
    ["nothing", "", "E242", 1],
    ["a plain text", "hello", "E242", 1],
  ])("refuses %s with its place", (_, text, code, line) => {
    const { items, problems } = imported(text);
    expect(items).toEqual([]);
    expect(problems[0]).toMatchObject({ code, at: { line } });
  });

  it("says that a context needs a corpus, and that a default test in a file is not read", () => {
    expect(imported("- vars: { question: Where?, context: The moon. }", null).problems[0]?.message).toBe(
      "the context can only be found in a corpus: give --corpus",
    );
    const { problems } = imported(`defaultTest: file://d.yaml\ntests:\n  - vars: { question: Where? }\n`);
    expect(problems.map(({ code, at }) => [code, at?.line])).toEqual([
      ["E249", 1],
      ["E246", 3],
    ]);
  });
});
