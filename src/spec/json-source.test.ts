import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJsonSource } from "./json-source.ts";

const TEXT = '{\n  "data": [\n    {"a": 1},\n    {"b": [true, "x"]}\n  ]\n}';
const sourceOf = (text: string) => {
  const source = parseJsonSource(text, "E241");
  if ("value" in source) return source;
  throw new Error(JSON.stringify(source));
};
const faultOf = (text: string) => {
  const source = parseJsonSource(text, "E241");
  return "value" in source ? null : source[0];
};

describe("parseJsonSource", () => {
  it("finds values and keys by line and column, and the nearest parent of what is missing", () => {
    const { locate, locateKey } = sourceOf(TEXT);
    expect(locate(["data", 1, "b", 1])).toEqual({ line: 4, column: 18 });
    expect(locate(["data", 1, "c"])).toEqual({ line: 4, column: 5 });
    expect(locateKey(["data", 1], "b")).toEqual({ line: 4, column: 6 });
    expect(locate([])).toEqual({ line: 1, column: 1 });
  });

  it.each([
    ['{"id": }', 1, 8, 'found "}", expected a value'],
    ['{"id": 1,}', 1, 10, 'expected a key in "quotes"'],
    ["[1,\n 2\n 3]", 3, 2, 'expected "," or "]"'],
    ['{"id" 1}', 1, 7, 'expected ":"'],
    ['{"id": "a\nb"}', 1, 10, "line break"],
    ["[1", 1, 3, 'the text ends, expected "," or "]"'],
    ["", 1, 1, "the text ends, expected a value"],
    ["{} x", 1, 4, "expected nothing after the value"],
  ])("places the fault of %j in line %i, column %i", (text, line, column, expected) => {
    expect(faultOf(text)).toMatchObject({ code: "E241", at: { line, column } });
    expect(faultOf(text)?.message).toContain(expected);
  });

  it("reads any JSON value, past a byte order mark, with the place of each of its values", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 1, 2), (value, indent) => {
        const source = sourceOf(`\uFEFF${JSON.stringify(value, null, indent)}`);
        expect(JSON.stringify(source.value)).toBe(JSON.stringify(value));
        expect(source.locate([])).toEqual({ line: 1, column: 1 });
      }),
    );
  });

  it("finds a fault exactly where JSON.parse refuses a text with one character changed", () => {
    fc.assert(
      fc.property(fc.nat(TEXT.length - 1), fc.constantFrom("", "}", ",", '"', "\n", "\\", "0", "-"), (at, other) => {
        const text = TEXT.slice(0, at) + other + TEXT.slice(at + 1);
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        const fault = faultOf(text);
        expect(fault === null).toBe(isJson);
        if (!isJson) expect(fault?.message).toMatch(/(found|ends)/);
      }),
    );
  });
});
