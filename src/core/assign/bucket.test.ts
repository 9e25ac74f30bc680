import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import xxhash from "xxhash-wasm";
import { bp } from "../unit.ts";
import { bucketOf, isOnCandidate, stickyLabel, thresholdOf } from "./bucket.ts";
import { xxHash32 } from "./xxhash32.ts";

interface Vector {
  readonly unit: string;
  readonly utf8_hex: string;
  readonly seed: number;
  readonly hash: number;
  readonly bucket: number;
  readonly arms: readonly ("stable" | "candidate")[];
}

const file = new URL("../../../test/vectors/assign.v1.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as { shares_bp: readonly number[]; rows: readonly Vector[] };
const { h32Raw } = await xxhash();
const aUnit = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
const aSeed = fc.integer({ min: 0, max: 0xffffffff });
const aShare = fc.integer({ min: 0, max: 10_000 });

describe("assign.v1.json", () => {
  it("RT-1: each of its rows is what this code and xxhash-wasm compute", () => {
    expect(vectors.rows.length).toBeGreaterThanOrEqual(200);
    for (const row of vectors.rows) {
      const bytes = new TextEncoder().encode(row.unit);
      expect(Buffer.from(bytes).toString("hex")).toBe(row.utf8_hex);
      expect(h32Raw(bytes, row.seed)).toBe(row.hash);
      expect(xxHash32(row.unit, row.seed)).toBe(row.hash);
      expect(bucketOf(row.hash)).toBe(row.bucket);
      expect(stickyLabel(row.hash)).toBe(`h${row.bucket}`);
      const arms = vectors.shares_bp.map((share) => (isOnCandidate(row.hash, bp(share)) ? "candidate" : "stable"));
      expect(arms).toEqual(row.arms);
    }
  });
});

describe("thresholdOf", () => {
  it("is 0 at no share, 2^32 at the whole, and rounds down between", () => {
    expect(thresholdOf(bp(0))).toBe(0);
    expect(thresholdOf(bp(10_000))).toBe(2 ** 32);
    expect(thresholdOf(bp(1))).toBe(429_496);
    expect(thresholdOf(bp(5_000))).toBe(2 ** 31);
  });

  it("equals the exact integer quotient at every share", () => {
    for (let share = 0; share <= 10_000; share++) {
      expect(thresholdOf(bp(share))).toBe(Number((BigInt(share) << 32n) / 10_000n));
    }
  });
});

describe("isOnCandidate", () => {
  it("is true for the hash below the threshold and false for the threshold itself", () => {
    for (const share of [1, 1_000, 3_333, 9_999]) {
      const threshold = thresholdOf(bp(share));
      expect([isOnCandidate(threshold - 1, bp(share)), isOnCandidate(threshold, bp(share))]).toEqual([true, false]);
    }
  });

  it("RT-3, I9: raising the share only moves units from stable to the candidate", () => {
    fc.assert(
      fc.property(aUnit, aSeed, aShare, aShare, (unit, seed, a, b) => {
        const hash = xxHash32(unit, seed);
        return !isOnCandidate(hash, bp(Math.min(a, b))) || isOnCandidate(hash, bp(Math.max(a, b)));
      }),
      { numRuns: 2_000 },
    );
  });

  it("RT-1: serves every unit by stable at 0 and by the candidate at 10 000", () => {
    fc.assert(
      fc.property(aUnit, aSeed, (unit, seed) => {
        const hash = xxHash32(unit, seed);
        return !isOnCandidate(hash, bp(0)) && isOnCandidate(hash, bp(10_000));
      }),
      { numRuns: 2_000 },
    );
  });

  it("RT-1: gives the candidate its share of a million units within 0.1 points", () => {
    const shares = [10, 100, 500, 1_000, 2_500, 5_000, 9_000].map((share) => ({
      share,
      threshold: thresholdOf(bp(share)),
    }));
    const counts = new Float64Array(shares.length);
    for (let user = 0; user < 1_000_000; user++) {
      const hash = xxHash32(`user-${user}`, 0xdecafbad);
      for (let i = 0; i < shares.length; i++) {
        if (hash < (shares[i]?.threshold as number)) counts[i] = (counts[i] as number) + 1;
      }
    }
    shares.forEach(({ share }, i) => {
      expect(Math.abs((counts[i] as number) / 10_000 - share / 100)).toBeLessThanOrEqual(0.1);
    });
  });

  it("splits the candidates of one seed evenly under another seed", () => {
    let [first, both] = [0, 0];
    for (let user = 0; user < 200_000; user++) {
      if (!isOnCandidate(xxHash32(`user-${user}`, 1), bp(5_000))) continue;
      first++;
      if (isOnCandidate(xxHash32(`user-${user}`, 2), bp(5_000))) both++;
    }
    expect(Math.abs(both / first - 0.5)).toBeLessThan(0.007); // Four standard deviations at 100 000 units.
  });
});

describe("bucketOf", () => {
  it("fills 1000 groups of buckets evenly: chi-square below its 99.99 % quantile", () => {
    const groups = new Float64Array(1_000);
    const users = 500_000;
    for (let user = 0; user < users; user++) {
      const group = Math.floor(bucketOf(xxHash32(`tn_${user.toString(36)}`, 7)) / 10);
      groups[group] = (groups[group] as number) + 1;
    }
    const expected = users / groups.length;
    const chiSquare = groups.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(1_170); // 999 degrees of freedom: mean 999, standard deviation 44.7.
    expect(chiSquare).toBeGreaterThan(840); // Too even would be as wrong.
  });

  it("is 0 at hash 0 and 9999 at the last hash", () => {
    expect([bucketOf(0), bucketOf(2 ** 32 - 1)]).toEqual([0, 9_999]);
  });
});
