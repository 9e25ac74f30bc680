import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mean, quantile } from "./aggregate.ts";
import { auc, calibrated } from "./calibration.ts";
import { coverageByOffsets, judgedTopics, POOLED } from "./coverage.ts";
import { deltaS, rankWeights } from "./delta-s.ts";
import { codePoints, jaccard, sliceCodePoints, tokenPlaces, words } from "./tokenizer.ts";

const text = fc.string({ unit: "grapheme", maxLength: 60 });
const vector = fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 3, maxLength: 3 });

describe("tokens", () => {
  it("stand in order inside the text, do not overlap and leave only blanks between them", () => {
    fc.assert(
      fc.property(text, (value) => {
        const { starts, ends, length } = tokenPlaces(value);
        expect(length).toBe(codePoints(value));
        let at = 0;
        for (const [i, start] of starts.entries()) {
          expect(sliceCodePoints(value, at, start).trim()).toBe("");
          expect(ends[i]).toBeGreaterThan(start);
          at = ends[i] as number;
        }
        expect(sliceCodePoints(value, at, length).trim()).toBe("");
      }),
    );
  });

  it("know scripts without spaces, marks and letters outside the basic plane", () => {
    expect(tokenPlaces("水火 ab").starts).toEqual([0, 1, 3]);
    expect(tokenPlaces("e\u0301te").ends).toEqual([4]);
    expect(tokenPlaces("𝒳𝒴 z")).toEqual({ starts: [0, 3], ends: [2, 4], length: 4 });
    expect(words("Don't ＡＢＣ 1,5 %")).toEqual(["don", "t", "abc", "1", "5"]);
  });
});

describe("coverage", () => {
  const section = "one two three four five six seven eight nine ten";
  const tokens = tokenPlaces(section);
  const stretch = fc
    .tuple(fc.nat(47), fc.integer({ min: 1, max: 48 }))
    .map(([a, b]) => ({ start: Math.min(a, b - 1), end: b }));
  const ref = { doc: "d", section: "s", rev: null };
  const of = (gold: { start: number; end: number }, passages: readonly { start: number; end: number }[]) =>
    coverageByOffsets(
      [{ ...ref, ...gold }],
      passages.map((passage) => ({ ...ref, ...passage, text: "" })),
      () => tokens,
    );

  it("lies in 0..1, never falls with another passage, is 1 for the gold itself and blind to order and repetition", () => {
    fc.assert(
      fc.property(stretch, fc.array(stretch, { maxLength: 5 }), stretch, (gold, passages, more) => {
        const found = of(gold, passages);
        if (found === null) return; // Gold of blanks alone.
        expect(found).toBeGreaterThanOrEqual(0);
        expect(of(gold, [...passages, more])).toBeGreaterThanOrEqual(found);
        expect(of(gold, [...passages, gold])).toBe(1);
        expect(of(gold, [...passages, ...passages].reverse())).toBe(found);
      }),
    );
  });

  it("pools topics with fewer than 10 questions and names them; a pool under 10 is judged with the whole set", () => {
    const topics = (counts: Record<string, number>) =>
      Object.entries(counts).flatMap(([name, n]) => Array<string>(n).fill(name));
    expect(judgedTopics(topics({ a: 10, b: 9, c: 1 }))).toEqual({
      byQuestion: [...Array<string>(10).fill("a"), ...Array<string>(10).fill(POOLED)],
      pooled: ["b", "c"],
    });
    expect(new Set(judgedTopics(topics({ a: 12, b: 9 })).byQuestion)).toEqual(new Set(["a", null]));
  });
});

describe("ΔS", () => {
  it("is symmetric, within 0..2, and does not change with the length of a vector", () => {
    fc.assert(
      fc.property(vector, vector, fc.double({ min: 0.5, max: 4, noNaN: true }), (left, right, factor) => {
        const { value } = deltaS(left, right);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(2);
        expect(deltaS(right, left).value).toBeCloseTo(value, 9);
        const norm = Math.hypot(...left);
        if (norm > 1e-3)
          expect(
            deltaS(
              left.map((x) => x * factor),
              right,
            ).value,
          ).toBeCloseTo(value, 9);
      }),
    );
  });

  it("gives the first rank at least half of the weight, and weights that sum to 1", () => {
    for (let count = 1; count <= 50; count++) {
      const weights = rankWeights(count);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
      expect(weights[0]).toBeGreaterThanOrEqual(0.5);
    }
  });

  it("puts 0.45 a fifth and 0.60 half of the way from gold to noise on every embedder", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0.15, max: 1, noNaN: true }),
        (mGold, gap) => {
          const scale = { mGold, mDecoy: mGold + gap };
          expect(calibrated(mGold + gap / 5, scale)).toBeCloseTo(0.45, 9);
          expect(calibrated(mGold + gap / 2, scale)).toBeCloseTo(0.6, 9);
        },
      ),
    );
  });
});

describe("statistics of a set", () => {
  const values = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 });

  it("counts an AUC as all pairs do, ties one half", () => {
    fc.assert(
      fc.property(values, values, (low, high) => {
        const wins = low.flatMap((a) => high.map((b) => (a < b ? 1 : a === b ? 0.5 : 0)) as number[]);
        expect(auc(low, high)).toBeCloseTo(wins.reduce((sum, win) => sum + win, 0) / wins.length, 12);
      }),
    );
  });

  it("interpolates quantiles: the p95 of 0..100 is 95, of 1 and 2 it is 1.95", () => {
    expect(
      quantile(
        Array.from({ length: 101 }, (_, i) => i),
        0.95,
      ),
    ).toBe(95);
    expect(quantile([2, 1], 0.95)).toBeCloseTo(1.95, 12);
  });

  it("averages n equal values to that value, so that no limit is missed by rounding", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.integer({ min: 0, max: 100 }), (count, percent) => {
        expect(mean(Array<number>(count).fill(percent / 100))).toBe(percent / 100);
      }),
    );
  });

  it("counts common words once", () => {
    expect(jaccard(new Set("abc"), new Set("bcd"))).toBe(0.5);
    expect(jaccard(new Set(), new Set())).toBe(1);
  });
});
