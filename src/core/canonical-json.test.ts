import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, type Json } from "./canonical-json.ts";

describe("canonicalJson", () => {
  it("orders keys by UTF-16 code units, not by code points (RFC 8785 §3.2.3)", () => {
    const value = { "€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\u0080": 6, ö: 7 };
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
  });

  it("writes numbers as ECMAScript does (RFC 8785 appendix B)", () => {
    const samples: readonly (readonly [number, string])[] = [
      [0, "0"],
      [-0, "0"],
      [5e-324, "5e-324"],
      [1.7976931348623157e308, "1.7976931348623157e+308"],
      [9007199254740992, "9007199254740992"],
      [295147905179352830000, "295147905179352830000"],
      [1e21, "1e+21"],
      [1e23, "1e+23"],
      [0.000001, "0.000001"],
      [1e-7, "1e-7"],
      [333333333.3333333, "333333333.3333333"],
      [4.5, "4.5"],
      [0.002, "0.002"],
    ];
    for (const [number, text] of samples) expect(canonicalJson(number)).toBe(text);
  });

  it("escapes control characters, quotes and backslashes and nothing else", () => {
    expect(canonicalJson('€$\u000f\nA\'B"\\\\"/\u007f')).toBe('"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\u007f"');
  });

  it("nests without white space", () => {
    expect(canonicalJson({ b: [true, null, { z: "", a: [] }], a: false })).toBe(
      '{"a":false,"b":[true,null,{"a":[],"z":""}]}',
    );
  });

  it("refuses what JSON cannot say instead of dropping it", () => {
    const refused: readonly unknown[] = [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      undefined,
      { a: undefined },
      [undefined],
      Array.from({ length: 1 }),
      10n,
      new Date(0),
      new Map(),
      () => 1,
      "\ud800",
      { "\udc00": 1 },
    ];
    for (const value of refused) expect(() => canonicalJson(value as Json)).toThrow(/^invariant: canonical JSON/);
  });

  it("gives one text whatever the order of insertion, and parses back to the same value", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.oneof(fc.integer(), fc.boolean())), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual({ ...value });
      }),
    );
  });
});
