import { describe, expect, it } from "vitest";
import { readCsv } from "./csv-rows.ts";

const valuesOf = (text: string) => readCsv(text).rows.map(({ value }) => value);

describe("readCsv", () => {
  it.each([
    ["commas", "a,b\n1,2\n"],
    ["semicolons", "a;b\n1;2\n"],
    ["tabs", "a\tb\n1\t2"],
    ["CRLF and a byte order mark", "\uFEFFa,b\r\n1,2\r\n"],
    ["old line ends", "a,b\r1,2\r"],
    ["Excel's first line", "sep=|\r\na|b\r\n1|2\r\n"],
    ["quotes", '"a","b"\n"1","2"\n'],
    ["empty rows", "a,b\n\n1,2\n\n,\n"],
    ["mixed line ends", "a,b\r\n1,2\n"],
  ])("reads a table with %s", (_, text) => {
    expect(valuesOf(text)).toEqual([{ a: "1", b: "2" }]);
    expect(readCsv(text).problems).toEqual([]);
  });

  it("keeps line breaks, quotes and delimiters inside of quotes, and the line of each row", () => {
    const { rows } = readCsv('a,b\n"x\ny","say ""hi"", you"\n3,\n');
    expect(rows.map(({ value, locate }) => [value, locate([]).line])).toEqual([
      [{ a: "x\ny", b: 'say "hi", you' }, 2],
      [{ a: "3" }, 4],
    ]);
  });

  it.each([
    ["a column named twice", "a,a\n1,2\n", 1, 'column "a" is named twice'],
    ["a row that is short", "a,b\n1\n", 2, "found 1 fields, expected 2"],
    ["a row that is long", "a,b\n1,2\n1,2,3\n", 3, "found 3 fields, expected 2"],
    ["a quote that never ends", 'a,b\n"1,2\n', 2, "Quote Not Closed"],
  ])("tells %s by its line", (_, text, line, message) => {
    const [problem] = readCsv(text).problems;
    expect(problem?.at?.line).toBeGreaterThanOrEqual(line);
    expect(problem?.message).toContain(message);
  });
});
