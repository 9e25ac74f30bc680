import { stringify as csvStringify } from "csv-stringify/sync";
import fc from "fast-check";
import { dump } from "js-yaml";
import Papa from "papaparse";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { readCsv } from "../src/probe/import/csv-rows.ts";
import { decodeText } from "../src/spec/document-text.ts";
import { parseSource } from "../src/spec/source.ts";

const ASKED = process.env["SLUICE_DOCUMENTS"];
/** Documents in all: some hundreds in every run, 20 000 with `npm run test:documents`. */
const COUNT = Number(ASKED ?? 600);
const SEED = Number(process.env["SLUICE_SEED"] ?? 11);

/** Texts that YAML 1.1 and 1.2, JSON or spreadsheets read as something else when they stand bare. */
const TRICKY = [
  ..."yes no on off y n true false null ~ Null TRUE .inf .nan - -- --- ... ? : # & * ! | > % @ ` = << [] {} ''".split(
    " ",
  ),
  ..."007 0o17 0x1F 1e3 1E5 12e03 1_000 1:30 190:20:30 .5 5. +1 -0 1.0 2026-01-01 2026-01-01T00:00:00Z 0b11".split(" "),
  "",
  " ",
  " lead",
  "trail ",
  "a: b",
  "a #b",
  "- a",
  "line\nbreak",
  "line\n\nbreaks\n",
  "\ttab",
  'quote"d',
  "it's",
  "semi;colon",
  "comma,",
  "\u2028",
  "\u0085",
  "é ü 漢字 😀",
  "=1+1",
  "a\rb",
  "\\",
  "\u0000",
  "\u007f",
];
const text = fc.oneof(
  fc.constantFrom(...TRICKY),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.stringMatching(/^[\w:.,+-]{0,12}$/),
);
// `<<` as a key is a merge to every reader that knows merge keys; `__proto__` is lost by the writers themselves.
const key = text.filter((name) => name !== "<<" && name !== "__proto__");
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger());
const document = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, text, text, number, fc.boolean(), fc.constant(null), tie("list"), tie("map")),
  list: fc.array(tie("value"), { maxLength: 4 }),
  map: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
}));

/** Writers of documents: of YAML 1.2 and 1.1, block and flow, folded and not, with anchors, and of JSON. */
const WRITERS: readonly (readonly [name: string, write: (value: unknown) => string])[] = [
  ["yaml 1.2", (value) => stringify(value)],
  ["yaml 1.1", (value) => stringify(value, { version: "1.1" })],
  ["yaml 1.1 that says so", (value) => `%YAML 1.1\n---\n${stringify(value, { version: "1.1" })}`],
  ["yaml with narrow lines", (value) => stringify(value, { lineWidth: 20, blockQuote: "folded" })],
  ["yaml in JSON style", (value) => stringify(value, { defaultStringType: "QUOTE_DOUBLE", collectionStyle: "flow" })],
  ["yaml with anchors", (value) => stringify({ first: value, second: value })],
  ["js-yaml", (value) => dump(value)],
  ["js-yaml in flow style", (value) => dump(value, { flowLevel: 0 })],
  ["JSON", (value) => JSON.stringify(value)],
  ["JSON with tabs", (value) => JSON.stringify(value, null, "\t")],
];
const CSV_WRITERS: readonly (readonly [name: string, write: (rows: readonly (readonly string[])[]) => string])[] = [
  ["csv-stringify", (rows) => csvStringify(rows as string[][])],
  [
    "csv-stringify as Excel saves it",
    (rows) => csvStringify(rows as string[][], { bom: true, delimiter: ";", record_delimiter: "windows" }),
  ],
  [
    "csv-stringify with tabs, all quoted",
    (rows) => csvStringify(rows as string[][], { delimiter: "\t", quoted: true }),
  ],
  [
    "csv-stringify with bars and old Mac line ends",
    (rows) => csvStringify(rows as string[][], { delimiter: "|", record_delimiter: "mac", quoted_match: /[;\t]/ }),
  ],
  ["papaparse", (rows) => Papa.unparse(rows as string[][])],
  ["papaparse with its first line", (rows) => `sep=;\r\n${Papa.unparse(rows as string[][], { delimiter: ";" })}`],
];
const AS_FILE: readonly ((text: string) => string)[] = [(file) => file, (file) => `\uFEFF${file}`];

/** Negative zero is the one number that writers do not keep apart. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const parameters = { numRuns: Math.ceil(COUNT / (WRITERS.length + CSV_WRITERS.length)), seed: SEED };

/** The share a long run read and told is what its page quotes. */
function print(name: string, { read, told }: { readonly read: number; readonly told: number }): void {
  if (ASKED !== undefined) console.log(`${name}: ${read} read like the original, ${told} told, 0 differ`);
}

/** What came of all documents: a run in which most are told proves little. */
function tally(): { read: number; told: number } {
  return { read: 0, told: 0 };
}

describe(`documents of other libraries, ${COUNT} of them`, () => {
  it.each(WRITERS)("written by %s are read like the original, or told", (name, write) => {
    const seen = tally();
    fc.assert(
      fc.property(document.value, fc.constantFrom(...AS_FILE), (value, asFile) => {
        const written = decodeText(Buffer.from(asFile(write(value))), "E101");
        const source = typeof written === "string" ? parseSource(written) : [written];
        if (!("value" in source)) {
          seen.told++;
          expect(source.every(({ message }) => message.length > 0) && source.length > 0).toBe(true);
          return;
        }
        seen.read++;
        const original = name === "yaml with anchors" ? { first: value, second: value } : value;
        expect(plain(source.value)).toEqual(plain(original));
      }),
      parameters,
    );
    print(name, seen);
    expect(seen.read).toBeGreaterThan(4 * seen.told);
  });

  const table = fc
    .tuple(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 2, maxLength: 5 }), fc.nat(4))
    .chain(([names, count]) => {
      const row = fc.array(
        text.filter((cell) => !cell.includes("\u0000")),
        { minLength: names.length, maxLength: names.length },
      );
      return fc.tuple(fc.constant(names), fc.array(row, { minLength: count, maxLength: count }));
    });
  it.each(CSV_WRITERS)("written by %s are read like the original, or told", (name, write) => {
    const seen = tally();
    fc.assert(
      fc.property(table, ([names, rows]) => {
        const { rows: found, problems } = readCsv(write([names, ...rows]));
        seen[problems.length > 0 ? "told" : "read"]++;
        if (problems.length > 0) return;
        const expected = rows
          .filter((row) => row.some((cell) => cell.trim() !== ""))
          .map((row) => Object.fromEntries(row.flatMap((cell, i) => (cell === "" ? [] : [[names[i] ?? "", cell]]))));
        expect(found.map(({ value }) => value)).toEqual(expected);
      }),
      parameters,
    );
    print(name, seen);
    expect(seen.read).toBeGreaterThan(4 * seen.told);
  });

  it("saved by a spreadsheet as Unicode text, which is UTF-16, are told and never read", () => {
    fc.assert(
      fc.property(table, fc.boolean(), ([names, rows], hasMark) => {
        const written = csvStringify([names, ...rows], { delimiter: "\t", record_delimiter: "windows", bom: hasMark });
        const found = decodeText(Buffer.from(written, "utf16le"), "E101");
        // Without a mark, what is mostly outside of Latin looks like anything: it is told at the latest by its cells.
        if (hasMark) expect(found).toMatchObject({ message: expect.stringContaining("UTF-16") });
        else if (typeof found === "string") expect(readCsv(found).rows).not.toHaveLength(rows.length);
      }),
      { ...parameters, numRuns: Math.min(parameters.numRuns, 200) },
    );
  });
});
