import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LineJudge, TraceJudgement } from "../../core/trace/judgement.ts";
import { LineReader } from "./line-reader.ts";

type Seen = readonly [line: number, value: unknown];

/** A fake judge that keeps what it is given and has enough after `enough` lines. */
class Keeper implements LineJudge {
  readonly values: Seen[] = [];
  readonly refused: Seen[] = [];
  readonly #enough: number;

  constructor(enough = Number.POSITIVE_INFINITY) {
    this.#enough = enough;
  }

  take(json: unknown, line: number): boolean {
    this.values.push([line, json]);
    return this.#isEnough();
  }

  refuse(reason: string, line: number): boolean {
    this.refused.push([line, reason]);
    return this.#isEnough();
  }

  finish(): TraceJudgement {
    throw new Error("a fake has no answer");
  }

  #isEnough(): boolean {
    return this.values.length + this.refused.length >= this.#enough;
  }
}

function read(bytes: Uint8Array, cuts: readonly number[] = [], enough?: number): Keeper {
  const keeper = new Keeper(enough);
  const reader = new LineReader(keeper);
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    reader.push(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
  reader.push(bytes.subarray(from));
  reader.end();
  return keeper;
}

const lines = (text: string) => read(Buffer.from(text));

describe("LineReader", () => {
  it("hands on one value a line, with its physical line number", () => {
    expect(lines('{"a":1}\n{"b":2}\n').values).toEqual([
      [1, { a: 1 }],
      [2, { b: 2 }],
    ]);
  });

  it("reads a last line without a newline, CRLF, blank lines and a byte order mark", () => {
    expect(lines('\ufeff{"a":1}\r\n\r\n  \n{"b":2}\r\n{"c":3}').values).toEqual([
      [1, { a: 1 }],
      [4, { b: 2 }],
      [5, { c: 3 }],
    ]);
    expect(lines("").values).toEqual([]);
    expect(lines("\n\n").values).toEqual([]);
  });

  it("counts a malformed line where it stands and reads the ones around it", () => {
    const { values, refused } = lines('{"a":1}\nnot json\n{"b":2}\n{"c":\n{"d":4}\n');
    expect(values.map(([line]) => line)).toEqual([1, 3, 5]);
    expect(refused.map(([line]) => line)).toEqual([2, 4]);
    expect(String(refused[0]?.[1])).toMatch(/JSON/);
  });

  it.each([
    ["two values with a comma", '{"a":1},{"b":2}\n{"c":3}\n'],
    ["two values without one", '{"a":1}{"b":2}\n{"c":3}\n'],
    ["an array over several lines", '[\n{"a":1},\n{"c":3}\n]\n'],
    ["an open array that the next line closes", '{"a":[1\n2]}\n'],
    ["a text over two lines and two values in the next", '{"a":"x\n{y"}\n{},{}\n'],
  ])("does not take %s for events", (_, text) => {
    const { values, refused } = lines(text);
    expect(refused.length).toBeGreaterThan(0);
    expect(values.every(([, value]) => JSON.stringify(value) === '{"c":3}')).toBe(true);
  });

  it("reads a line of 64 KB and one of 1 MB, and refuses a longer one without keeping it", () => {
    const long = (length: number) => JSON.stringify({ text: "é".repeat(length / 2) });
    const { values, refused } = lines(
      `${long(65_536)}\n${long(1_000_000)}\n${long(3_000_000)}\n${JSON.stringify({ last: true })}\n`,
    );
    expect(values.map(([line]) => line)).toEqual([1, 2, 4]);
    expect(refused).toEqual([[3, "the line is longer than 1048576 bytes"]]);
  });

  it("reads many more lines than one batch holds", () => {
    const count = 30_000;
    const text = Array.from({ length: count }, (_, i) => `{"i":${i}}\n`).join("");
    const { values } = lines(text);
    expect([values.length, values[0], values.at(-1)]).toEqual([count, [1, { i: 0 }], [count, { i: count - 1 }]]);
  });

  it("stops at the very line after which the judge has enough", () => {
    const text = Array.from({ length: 100 }, (_, i) => `{"i":${i}}\n`).join("");
    expect(read(Buffer.from(text), [], 7).values.length).toBe(7);
    expect(read(Buffer.from(`x\n${text}`), [], 7).values.length).toBe(6);
    expect(read(Buffer.from('{"a":1}\n{"b":2}'), [], 1).values.length).toBe(1);
  });

  it("gives the same lines however the bytes are cut into chunks", () => {
    const line = fc.oneof(
      fc.json(),
      fc
        .record({ ts: fc.nat(), ΔS_q_r: fc.double({ noNaN: true }), arm: fc.string() })
        .map((event) => JSON.stringify(event)),
      fc.constantFrom(
        "",
        "  ",
        "\r",
        "{",
        "}",
        "1,2",
        '{"λ_state":"<>"}\r',
        "nonsense",
        `{"long":"${"x".repeat(70_000)}"}`,
      ),
    );
    const text = fc.tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom("", "\n"), fc.constantFrom("", "\ufeff"));
    fc.assert(
      fc.property(
        text,
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.nat({ max: 14 }),
        ([rows, end, mark], cuts, enough) => {
          const bytes = Buffer.from(mark + rows.join("\n") + end);
          const places = cuts.map((cut) => cut % (bytes.length + 1));
          const [whole, cutUp] = [read(bytes, [], enough + 1), read(bytes, places, enough + 1)];
          expect(cutUp.values).toEqual(whole.values);
          expect(cutUp.refused).toEqual(whole.refused);
        },
      ),
      { numRuns: 300 },
    );
  });

  const objects = ["{}", '{"a":1}', '{"a":{}', '{"a":1', "{}}", "{},{}", '{"b":1},"c":2}', '{"a":1},5', '{"a":1}]'];
  const texts = ['{"a":"', '{":1}', '{"a":"x\\"', '{"t":"},{"}', '{"a":1}\r', '{"__proto__":{"a":1}}', '{"a":1,"a":2}'];

  it.each([
    [
      "any text",
      fc.oneof(
        fc.json(),
        fc.constantFrom("{", "}", "[1", "2]", "1,2", "{},{}", '{y"}', "null", '"a"', "", "]", "[["),
        fc.constantFrom('{"a":[{}', "{}]}", '{"a":{}', '"b":1}', '{"a":1},{"b":2}', '{"a":"', '"}', "{}"),
      ),
    ],
    ["objects without lists", fc.constantFrom(...objects, ...texts)],
  ])("gives every line the value or the refusal that parsing it alone gives: %s", (_, line) => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (rows) => {
        const expected: Seen[] = [];
        let refusals = 0;
        rows.forEach((row, index) => {
          if (row.trim() === "") return;
          try {
            expected.push([index + 1, JSON.parse(row)]);
          } catch {
            refusals++;
          }
        });
        const { values, refused } = lines(rows.join("\n"));
        expect(values).toEqual(expected);
        expect(refused.length).toBe(refusals);
      }),
      { numRuns: 1_000 },
    );
  });
});
