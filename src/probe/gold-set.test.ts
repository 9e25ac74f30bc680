import { describe, expect, it } from "vitest";
import { type GoldSet, readGoldSet } from "./gold-set.ts";

const item = (id: string, over: Record<string, unknown> = {}): Record<string, unknown> => ({
  id,
  topic: "berths",
  phrasings: ["What does a berth cost?", "How much is a berth?", "What is the price of a berth?"],
  answerable: true,
  gold: [{ doc: "berths", section: "prices" }],
  ...over,
});
const lines = (...items: unknown[]): string => items.map((entry) => JSON.stringify(entry)).join("\n");
const codes = (text: string): readonly string[] => {
  const read = readGoldSet(text);
  return "items" in read ? [] : read.map(({ code }) => code);
};

const YAML = `# a comment
- id: a
  topic: berths
  phrasings: [What does a berth cost?, How much is a berth?, What is the price of a berth?]
  answerable: true
  gold: [{ doc: berths, section: prices }]
`;

describe("readGoldSet", () => {
  it("reads YAML and JSON lines of the same items to the same digest", () => {
    const [yaml, jsonl] = [readGoldSet(YAML), readGoldSet(`${lines(item("a"))}\n\n`)];
    expect("items" in yaml && "items" in jsonl && yaml.digest === jsonl.digest).toBe(true);
    expect("items" in yaml && yaml.items[0]).toMatchObject({
      claims: [],
      decoy: null,
      gold: [{ start: null, rev: null }],
    });
    expect("items" in yaml && yaml.positions).toEqual([{ line: 2, column: 3 }]);
  });

  it("reads what Windows and writers of nulls make of a set as the same set", () => {
    const digestOf = (text: string) => (readGoldSet(text) as GoldSet).digest;
    const plain = digestOf(YAML);
    const nulls = { ...item("a"), claims: null, decoy: null };
    const spans = [{ ...(item("a").gold as object[])[0], start: null, end: null, rev: null }];
    for (const text of [
      `\uFEFF${YAML}`,
      YAML.replaceAll("\n", "\r\n"),
      `\uFEFF${lines(item("a"))}\r\n`,
      JSON.stringify([nulls]),
      lines({ ...nulls, gold: spans }),
      `${YAML}  claims:\n  decoy: ~\n`,
    ])
      expect(digestOf(text), text).toBe(plain);
  });

  it("changes the digest with any word of a question", () => {
    const digest = (text: string) => {
      const read = readGoldSet(text);
      return "items" in read ? read.digest : "";
    };
    expect(digest(YAML.replace("cost", "costs"))).not.toBe(digest(YAML));
    expect(digest(YAML.replace("# a comment", "# another"))).toBe(digest(YAML));
  });

  it("reports every problem at once, with line, column and what was meant", () => {
    const text =
      YAML +
      YAML.replace("topic:", "topics:")
        .replace("# a comment\n", "")
        .replace("answerable: true", "answerable: yes please");
    const problems = readGoldSet(text);
    if ("items" in problems) throw new Error("expected problems");
    expect(problems.map(({ code, at }) => [code, at?.line])).toEqual([
      ["E202", 7],
      ["E204", 8],
      ["E203", 10],
    ]);
    expect(problems[1]?.message).toBe('unknown key "topics"; did you mean "topic"?');
    expect(problems[2]).toMatchObject({ path: "a.answerable", at: { line: 10, column: 15 } });
  });

  it("places problems of JSON lines in their line", () => {
    const problems = readGoldSet(`${lines(item("a"))}\n{"id": }\n${lines(item("b", { gold: [{ doc: "d" }] }))}`);
    if ("items" in problems) throw new Error("expected problems");
    expect(problems.map(({ code, at }) => [code, at?.line])).toEqual([
      ["E201", 2],
      ["E202", 3],
    ]);
  });

  it("refuses a key given twice in one line, as YAML does", () => {
    expect(codes('{"id": "a", "id": "b"}')).toEqual(["E201"]);
  });

  it("names a repeated id and where it was first", () => {
    const problems = readGoldSet(lines(item("a"), item("b"), item("a")));
    expect(problems).toMatchObject([
      { code: "E206", at: { line: 3 }, message: 'id "a" is used twice; the first is in line 1' },
    ]);
  });

  it.each([
    ["two phrasings", { phrasings: ["a", "b"] }],
    ["an answerable item without gold", { gold: [] }],
    ["an unanswerable item with gold", { answerable: false }],
    ["a start without an end", { gold: [{ doc: "d", section: "s", start: 3 }] }],
    ["an empty span", { gold: [{ doc: "d", section: "s", start: 3, end: 3 }] }],
    ["a negative offset", { gold: [{ doc: "d", section: "s", start: -1, end: 3 }] }],
    ["the topic of the pool", { topic: "pooled" }],
    ["a blank phrasing", { phrasings: ["a", " ", "c"] }],
    ["half a surrogate pair", { phrasings: ["a", "\ud800", "c"] }],
  ])("refuses %s", (_, over) => {
    expect(codes(lines(item("a", over)))).toEqual(["E205"]);
  });

  it.each([
    ["nothing", "", "E202"],
    ["a mapping", "items: []", "E202"],
    ["broken YAML", "- id: [", "E201"],
    ["no items", "[]", "E202"],
  ])("refuses %s", (_, text, code) => {
    expect(codes(text)).toContain(code);
  });
});
