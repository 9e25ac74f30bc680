import { describe, expect, it } from "vitest";
import { integrityFault, type SampledVector } from "./index-integrity.ts";

const one = (stored: readonly number[] | null, again: readonly number[], id = "c1"): SampledVector => ({
  id,
  stored,
  again,
});
const whole = { chunks: 3, rows: 3 };
/** A vector at this cosine to (1, 0). */
const at = (cosine: number) => [cosine, Math.sqrt(1 - cosine * cosine)];

describe("the integrity of a built index", () => {
  it("is whole at cosine 0.9991 and not at 0.9989, whatever the lengths of the vectors", () => {
    expect(integrityFault(whole, [one(at(0.9991), [5, 0])])).toBe(null);
    expect(integrityFault(whole, [one([1, 0], [1, 0]), one(at(0.9989), [5, 0], "c2")])).toMatch(
      /1 of 2 sampled .*c2: cosine 0\.9989, expected 0\.999/,
    );
  });

  it("is not whole with a row too few, a chunk without a row, another number of dimensions, or nothing looked at", () => {
    expect(integrityFault({ chunks: 3, rows: 2 }, [one([1], [1])])).toMatch(/2 rows of 3 chunks/);
    expect(integrityFault(whole, [one(null, [1, 0])])).toMatch(/no row of the chunk c1/);
    expect(integrityFault(whole, [one([1, 0, 0], [1, 0])])).toMatch(/3 dimensions, expected 2/);
    expect(integrityFault(whole, [])).toMatch(/no vector/);
  });

  it("takes zeros for the same as zeros, and for nothing else", () => {
    expect(integrityFault(whole, [one([0, 0], [0, 0])])).toBe(null);
    expect(integrityFault(whole, [one([0, 0], [0, 1])])).toMatch(/a vector of zeros/);
  });
});
