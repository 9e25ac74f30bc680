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

/** The same table with semicolons between the fields and CRLF, as a spreadsheet saves it. */
function semicolons(text: string): string {
  const rows = text.replace(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/g, ";");
  return rows.replaceAll("\n", "\r\n");
}

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
      ...["llm-rubric", "javascript", "llm-rubric", "llm-rubric", "llm-rubric"].map(
        (type) => `assertion ${type} has no place in a gold set`,
      ),
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

  const claimsOf = (test: string) => {
    const text = `- vars: { question: How long? }\n  metadata: { section: 'berths#power' }\n${test}`;
    const { items, warnings } = imported(text);
    return [items[0]?.claims, warnings.filter(({ code }) => code === "E249").map(({ message }) => message)];
  };
  it.each([
    ["contains-all, all needed", "{ type: contains-all, value: [a b, c d] }", ["a b", "c d"]],
    ["contains-all as a comma list", "{ type: icontains-all, value: 'a b, c d' }", ["a b", "c d"]],
    ["contains-any, one of them needed", "{ type: contains-any, value: [a b, c d] }", [["a b", "c d"]]],
    ["a quoted comma list of alternatives", `{ type: icontains-any, value: '"a, b", c' }`, [["a, b", "c"]]],
    ["one alternative", "{ type: contains-any, value: [a b] }", ["a b"]],
    ["similar to any of a list", "{ type: similar, value: [a b, c d], threshold: 0.8 }", [["a b", "c d"]]],
    ["a number", "{ type: contains, value: 30 }", ["30"]],
    ["the same text twice", "{ type: contains, value: a }, { type: equals, value: a }", ["a"]],
    ["a set without a threshold", "{ type: assert-set, assert: [{ type: contains, value: a }] }", ["a"]],
  ])("makes claims of %s", (_, assertion, claims) => {
    expect(claimsOf(`  assert: [${assertion}]\n`)).toEqual([claims, []]);
  });

  it.each([
    ["an empty text", "{ type: contains, value: '' }", undefined, 'contains "" is no text that can be looked for'],
    ["a template", "{ type: contains-all, value: [a, '{{b}}'] }", ["a"], 'contains-all "{{b}}" is no text'],
    [
      "an alternative in a file",
      "{ type: contains-any, value: [a, 'file://b'] }",
      undefined,
      'contains-any "file://b"',
    ],
    ["what has no weight", "{ type: contains, value: a, weight: 0 }", undefined, 'weight 0, so "a" is not needed'],
    [
      "a set that passes at a part",
      "{ type: assert-set, threshold: 0.5, assert: [{ type: contains, value: a }, { type: contains, value: b }] }",
      undefined,
      'the test passes at a score of 0.5, so "a" of contains may be missing',
    ],
  ])("tells %s, row by row", (_, assertion, claims, message) => {
    const [found, said] = claimsOf(`  assert: [${assertion}]\n`);
    expect(found).toEqual(claims);
    expect(said?.[0]).toContain(message);
    expect(claimsOf("  threshold: 0.6\n  assert: [{ type: contains, value: a }]\n")[0]).toBeUndefined();
  });

  it("tells an id that stands twice by the line of the first, and keeps an id as it is spelled", () => {
    const test = (id: string) => `- vars: { question: Where? }\n  metadata: { id: ${id}, section: 'berths#power' }\n`;
    const { items, problems, rows } = imported(test("007") + test("1e3") + test('"007"'));
    expect(items.map(({ id }) => id)).toEqual(["007", "1e3"]);
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ["E250", 'id "007" is used twice; the first is in line 1, and is taken'],
    ]);
    expect(rows.map(({ path, id }) => [path, id])).toEqual([
      ["[0]", "007"],
      ["[1]", "1e3"],
      ["[2]", null],
    ]);
  });

  const TABLE = `question,__expected,__expected2,__metadata:sections[],__metadata:topic
What does a berth cost?,contains: nine crowns,"contains-any: 9, nine",berths#prices,prices
"Where are
the sockets?",on the pier,,"berths#power, berths#prices",
Is it pretty?,is-refusal,,,
What?,javascript: x,,berths#power,
`;
  it.each([
    ["commas", TABLE],
    ["Excel's semicolons, CRLF and a byte order mark", `\uFEFFsep=;\r\n${semicolons(TABLE)}`],
  ])("reads a table of tests with %s", (_, text) => {
    const { items, problems, warnings } = imported(text);
    expect(problems).toEqual([]);
    expect(
      items.map(({ phrasings, claims, gold, answerable }) => [phrasings[0], claims, gold.length, answerable]),
    ).toEqual([
      ["What does a berth cost?", ["nine crowns", ["9", "nine"]], 1, true],
      [expect.stringMatching(/^Where are\r?\nthe sockets\?$/), ["on the pier"], 2, true],
      ["Is it pretty?", undefined, 0, false],
      ["What?", undefined, 1, true],
    ]);
    expect(warnings.filter(({ code }) => code === "E249").length).toBe(1);
  });

  it("reads tests as JSON lines, the broken line told", () => {
    const line = (id: string) =>
      JSON.stringify({ vars: { question: "Where?" }, metadata: { id, section: "berths#power" } });
    const { items, problems } = imported(`${line("a")}\n{"vars":\n${line("b")}\n`);
    expect(items.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(problems.map(({ code, at }) => [code, at?.line])).toEqual([["E241", 2]]);
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
      ["E242", 18, 24],
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
