import fc from "fast-check";
import { describe, expect, it } from "vitest";
import xxhash from "xxhash-wasm";
import { xxHash32 } from "./xxhash32.ts";

const { h32, h32Raw } = await xxhash();

describe("xxHash32", () => {
  it("gives the published values of the empty text", () => {
    expect(xxHash32("", 0)).toBe(0x02cc5d05);
    expect(xxHash32("", 0x9e3779b1)).toBe(0x36b78ae7);
  });

  it("equals xxhash-wasm on every ASCII length 0..200 and many seeds", () => {
    for (let length = 0; length <= 200; length++) {
      const text = Array.from({ length }, (_, at) => String.fromCharCode((at * 37 + length) % 128)).join("");
      for (const seed of [0, 1, 7, 0x7fffffff, 0x80000000, 0xffffffff])
        expect(xxHash32(text, seed)).toBe(h32(text, seed));
    }
  });

  it("equals xxhash-wasm over TextEncoder's bytes for any text, lone surrogates included", () => {
    const encoder = new TextEncoder();
    const anyText = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
    );
    const seed = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(anyText, seed, (text, s) => xxHash32(text, s) === h32Raw(encoder.encode(text), s)),
      { numRuns: 2_000 },
    );
  });

  it("flips about half of the output bits when one input bit flips", () => {
    const flips = new Float64Array(32);
    let trials = 0;
    for (let key = 0; key < 2_000; key++) {
      const text = `user-${key}-of-tenant`;
      const before = xxHash32(text, 7);
      for (let bit = 0; bit < 6; bit++) {
        const at = (key + bit) % text.length;
        const other = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << bit)) + text.slice(at + 1);
        const difference = before ^ xxHash32(other, 7);
        for (let out = 0; out < 32; out++) flips[out] = (flips[out] as number) + ((difference >>> out) & 1);
        trials++;
      }
    }
    // 12 000 trials: one standard deviation is 0.0046, the limits are more than four of them away.
    for (const count of flips) expect(Math.abs(count / trials - 0.5)).toBeLessThan(0.02);
  });
});
