import { describe, expect, it } from "vitest";
import { decodeText } from "./document-text.ts";
import { parseSource, type Source } from "./source.ts";

function read(text: string): Source {
  const source = parseSource(text);
  if ("value" in source) return source;
  throw new Error(JSON.stringify(source));
}

function told(text: string): readonly (readonly [place: string, message: string])[] {
  const source = parseSource(text);
  if ("value" in source) throw new Error(`was read as ${JSON.stringify(source.value)}`);
  return source.map(({ at, message }) => [`${at?.line}:${at?.column}`, message] as const);
}

describe("a document's merge keys", () => {
  it.each([
    ["one map", "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", { b: 1, c: 3 }],
    ["a list, whose first wins", "a: &x {b: 1}\ne: &y {b: 2, f: 3}\nd: {<<: [*x, *y]}", { b: 1, f: 3 }],
    ["two merges", "a: &x {b: 1}\ne: &y {f: 3}\nd:\n  <<: *x\n  <<: *y", { b: 1, f: 3 }],
    ["a merge of a merge", "a: &x {b: 1}\ne: &y {<<: *x, f: 3}\nd: {<<: *y}", { b: 1, f: 3 }],
    ["a map written in place", "d: {<<: {b: 1}}", { b: 1 }],
    ["quotes, which make it a key like others", 'd: {"<<": {b: 1}}', { "<<": { b: 1 } }],
  ])("are read for %s", (_, text, expected) => {
    expect((read(text).value as { d: unknown }).d).toEqual(expected);
  });

  it("place what they bring where it stands", () => {
    const source = read("a: &x\n  b: [1, 2]\nd:\n  <<: *x\n  c: 1\ne: *x\n");
    expect(source.locate(["d", "b", 1])).toEqual({ line: 2, column: 10 });
    expect(source.locate(["e", "b"])).toEqual({ line: 2, column: 6 });
    expect(source.locate(["d", "z"])).toEqual({ line: 4, column: 3 });
  });

  it("are told when they merge no map", () => {
    expect(told("d:\n  <<: 3")).toEqual([["2:7", "<< merges a map, an alias of one, or a list of them"]]);
  });
});

describe("aliases", () => {
  it("may be many: 5 000 of one anchor are read", () => {
    const rows = Array.from({ length: 5_000 }, () => "  - *x").join("\n");
    expect((read(`a: &x {b: 1}\nrows:\n${rows}\n`).value as { rows: unknown[] }).rows.length).toBe(5_000);
  });

  it("may be 20 000, in a time that does not grow with their square", () => {
    expect((read(`a: &x 1\nrows: [${"*x ,".repeat(20_000)}1]`).value as { rows: unknown[] }).rows.length).toBe(20_001);
  });

  it("may not grow: nine levels of ten are refused at the level that is too large", () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const inner = level === 0 ? "word" : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array.from({ length: 10 }, () => inner).join(", ")}]`;
    });
    const [[place, message] = []] = told(levels.join("\n"));
    expect(place).toBe("7:9");
    expect(message).toContain("grow to more than 16777216 characters");
  });

  it("of nothing, of themselves, and of an anchor set twice are told with their places", () => {
    expect(told("a: *no")).toEqual([["1:4", "alias *no has no anchor before it"]]);
    expect(told("a: &x [1, *x]")).toEqual([["1:11", "alias *x stands inside of what it names"]]);
    expect(told("a: &x 1\nb: &x 2\nc: *x")).toEqual([["2:7", "anchor &x is set twice; the first is in line 1"]]);
  });
});

describe("what would be read as something else", () => {
  it.each([
    ["a key twice", "a: 1\nb: 2\na: 3", "3:1", 'key "a" is used twice; the first is in line 1'],
    ["a key twice in JSON", '{"a": 1,\n "a": 2}', "2:2", 'key "a" is used twice; the first is in line 1'],
    ["a number and a text as one key", "1: a\n'1': b", "2:1", 'key "1" is used twice; the first is in line 1'],
    ["a key that is respelled", "0x10: a", "1:1", 'key 0x10 would be read as "16": put it in quotes'],
    ["a list as a key", "? [a]\n: b", "1:3", "found a list or a map as a key, expected text"],
    ["a long id", "id: 12345678901234567890", "1:5", "12345678901234567890 is more than a number can hold exactly"],
    ["a long id in JSON", '{"id": 9007199254740993}', "1:8", "9007199254740993 is more than a number can hold"],
    ["an octal that YAML 1.1 reads as text", "a: 0o17", "1:4", "0o17 is 15 to YAML 1.2 and something else to YAML 1.1"],
    ["an integer that YAML 1.1 reads as octal", "a: 010", "1:4", "010 is 10 to YAML 1.2"],
    ["an exponent without a point", "a: 1e3", "1:4", "1e3 is 1000 to YAML 1.2 and something else to YAML 1.1"],
    ["an exponent without a sign", "a: [1.5E3]", "1:5", "put it in quotes, or write 1500"],
    ["a tiny number of JavaScript", "a: 1e-7", "1:4", "or write 1.0e-7"],
    ["an exponent in a document of 1.1", "%YAML 1.1\n---\na: 12e03", "3:4", "12e03 is 12000 to YAML 1.2"],
    ["a letter that may be a truth", "%YAML 1.1\n---\na: [n]", "3:5", "n is false to some readers of YAML 1.1"],
    ["a point alone in 1.1", "%YAML 1.1\n---\na: .", "3:4", "no number to some readers"],
    ["a line separator in single quotes", "a: 'b\u2028c'", "1:4", "found U+2028, a line break to YAML 1.1"],
    ["a line separator in a block", "a: |\n  b\u0085  c\n", "1:4", "found U+0085, a line break"],
    ["an unknown tag", "a: !Ref x", "1:4", "Unresolved tag: !Ref"],
    ["binary", "a: !!binary aGk=", "1:13", 'found "aGk=" as a date or binary, expected "text"'],
    ["a date of YAML 1.1", "%YAML 1.1\n---\na: 2026-01-01", "3:4", "as a date or binary"],
    ["a set", "a: !!set {b, c}", "1:10", "found a collection tagged"],
    ["two documents", "a: 1\n---\na: 2", "2:1", "multiple documents"],
    ["nesting without end", "[".repeat(100_000), "1:", "nested too deeply"],
    ["201 levels", "[".repeat(202) + "]".repeat(202), "1:202", "at most 200 levels"],
  ])("is told: %s", (_, text, place, message) => {
    const found = told(text);
    expect(
      found.some(([at, said]) => at.startsWith(place) && said.includes(message)),
      JSON.stringify(found),
    ).toBe(true);
    expect(found.length).toBeLessThanOrEqual(20);
  });

  it("is kept as it is spelled where a number stands for a text", () => {
    const source = read("a: 007\nb: 0x1F\nc: 1.0e+3\nd: '7'\ne: x");
    expect(["a", "b", "c", "d", "e"].map((key) => source.spelled([key]))).toEqual(["007", "0x1F", "1.0e+3", null, "x"]);
    expect(read('{"a": 1.50, "b": "1"}').spelled(["a"])).toBe("1.50");
    expect(read('{"a": 1.50, "b": "1"}').spelled(["b"])).toBe(null);
    expect(read("- id: 1e3\n").spelled([0, "id"])).toBe("1e3");
  });

  it("is a number with an exponent where every YAML says so, where the document says which it is, and in JSON", () => {
    expect(read("a: 1.0e+3\nb: -1.5E-7").value).toEqual({ a: 1_000, b: -1.5e-7 });
    expect(read("%YAML 1.2\n---\na: 1e3").value).toEqual({ a: 1_000 });
    expect(read('{"a": 1e3, "b": 1e-7}').value).toEqual({ a: 1_000, b: 1e-7 });
  });
});

describe("files as other systems write them", () => {
  it.each([
    ["a byte order mark", "\uFEFFa:\n  b: 1\n"],
    ["CRLF", "a:\r\n  b: 1\r\n"],
    ["JSON with both", '\uFEFF{\r\n\t"a": {"b": 1}\r\n}\r\n'],
    ["YAML 1.1 that says so", "%YAML 1.1\n---\na: {b: 1}\n"],
  ])("are read with %s", (_, text) => {
    expect(read(text).value).toEqual({ a: { b: 1 } });
    expect(read(text).locate(["a"]).line).toBeGreaterThan(0);
  });

  it("read words as YAML 1.2 does, and as 1.1 where the document says so", () => {
    expect(read("a: yes\nb: on\nc: 1:30").value).toEqual({ a: "yes", b: "on", c: "1:30" });
    expect(read("%YAML 1.1\n---\na: yes\nb: off").value).toEqual({ a: true, b: false });
  });

  it.each([
    ["UTF-16 with its mark", Buffer.from("\uFEFFa: 1", "utf16le"), "found UTF-16 (little endian), expected UTF-8"],
    ["UTF-16 of the other order", Buffer.from("\uFEFFa: 1", "utf16le").swap16(), "found UTF-16 (big endian)"],
    ["UTF-16 without its mark", Buffer.from("- id: question", "utf16le"), "found UTF-16 or binary data"],
    ["Windows-1252", Buffer.from("a: ok\nb: Größe", "latin1"), "not UTF-8 in line 2, as Windows-1252"],
  ])("are refused by name in %s", (_, bytes, message) => {
    expect((decodeText(bytes, "E101") as { message: string }).message).toContain(message);
  });

  it("are refused at the very byte that is no UTF-8, and read to the last one when all are", () => {
    const bytes = Buffer.concat([Buffer.from("a: é\nb: ok"), Buffer.from([0xff]), Buffer.from("\n€")]);
    expect(decodeText(bytes, "E101")).toMatchObject({ at: { line: 2, column: 6 } });
    expect(decodeText(Buffer.from("\uFEFFé€😀"), "E101")).toBe("\uFEFFé€😀");
  });
});
