import { describe, expect, it } from "vitest";
import { cosine } from "./cosine.ts";
import { deltaS } from "./delta-s.ts";

describe("cosine", () => {
  it("is the same however long or short the vectors are, from 1e-200 to 1e200", () => {
    const [left, right] = [
      [3, 4, 0],
      [4, 3, 0],
    ];
    for (const scale of [1e-300, 1e-200, 1e-20, 1, 1e20, 1e200, 1e307]) {
      const scaled = (vector: readonly number[]) => vector.map((value) => value * scale);
      expect(cosine(scaled(left as number[]), scaled(right as number[]))).toBeCloseTo(0.96, 12);
      expect(cosine(scaled(left as number[]), right as number[])).toBeCloseTo(0.96, 12);
    }
  });

  it("is null for a zero vector, which has no direction", () => {
    expect(cosine([0, 0], [1, 0])).toBeNull();
    expect(deltaS([0, 0], [1, 0])).toEqual({ value: 1, flag: "empty" });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "never takes %s for a coordinate",
    (odd) => {
      expect(() => cosine([odd, 1], [1, 0])).toThrow(/finite/);
      expect(() => cosine([1, 0], [0, odd])).toThrow(/finite/);
      expect(() => deltaS([odd, 1], [1, 0])).toThrow(/finite/);
    },
  );
});
