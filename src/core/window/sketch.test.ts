import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBins, encodeBins } from "./bin-codec.ts";
import {
  BIN_COUNT,
  binOf,
  countAbove,
  countBins,
  LATENCY_MAX_MS,
  LATENCY_MIN_MS,
  LatencySketch,
  lowerEdgeMs,
  mergeBins,
  quantileOf,
  type SparseBins,
  upperEdgeMs,
} from "./sketch.ts";

interface Vectors {
  readonly bins: readonly { readonly ms: number; readonly bin: number }[];
  readonly encodings: readonly { readonly bins: SparseBins; readonly hex: string }[];
}
const file = new URL("../../../test/vectors/sketch.v1.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;

const aLatencyMs = fc.double({ min: LATENCY_MIN_MS, max: LATENCY_MAX_MS, maxExcluded: true, noNaN: true });
const aSample = fc.array(aLatencyMs, { maxLength: 200 });

function sketchOf(latencies: Iterable<number>): SparseBins {
  const sketch = new LatencySketch();
  for (const ms of latencies) sketch.record(ms);
  return sketch.drain();
}

/** Seeded normal deviates (xorshift32 and Box-Muller), so that a failure repeats. */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 1) / (2 ** 32 + 1);
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

function lognormal(count: number): Float64Array {
  const normal = normals(88_172_645);
  return Float64Array.from({ length: count }, () => Math.exp(Math.log(400) + 0.8 * normal()));
}

/** 93 % warm around 120 ms, 7 % cold around 2.5 s. */
function bimodal(count: number): Float64Array {
  const normal = normals(12_345);
  return Float64Array.from({ length: count }, (_, i) =>
    i % 100 < 93 ? Math.exp(Math.log(120) + 0.35 * normal()) : Math.exp(Math.log(2_500) + 0.3 * normal()),
  );
}

describe("sketch.v1.json", () => {
  it("each latency falls into its bin", () => {
    expect(vectors.bins.length).toBeGreaterThan(100);
    for (const { ms, bin } of vectors.bins) expect([ms, binOf(ms)]).toEqual([ms, bin]);
  });

  it("each sketch has its bytes, and the bytes their sketch", () => {
    for (const { bins, hex } of vectors.encodings) {
      expect(Buffer.from(encodeBins(bins)).toString("hex")).toBe(hex);
      expect(decodeBins(Buffer.from(hex, "hex"))).toEqual(bins);
    }
  });
});

describe("binOf", () => {
  it("puts a latency between the edges of its bin, which is at most 1/64 of it wide", () => {
    fc.assert(
      fc.property(aLatencyMs, (ms) => {
        const bin = binOf(ms);
        const [low, high] = [lowerEdgeMs(bin), upperEdgeMs(bin)];
        return low <= ms && ms < high && (high - low) / low <= 1 / 64;
      }),
      { numRuns: 5_000 },
    );
  });

  it("has edges that meet, from 2^-7 ms to 2^22 ms", () => {
    expect([lowerEdgeMs(0), upperEdgeMs(BIN_COUNT - 1)]).toEqual([LATENCY_MIN_MS, LATENCY_MAX_MS]);
    for (let bin = 1; bin < BIN_COUNT; bin++) {
      expect(lowerEdgeMs(bin)).toBe(upperEdgeMs(bin - 1));
      expect(binOf(lowerEdgeMs(bin))).toBe(bin);
    }
  });

  it("clamps: too small, zero and negative to the first bin, too large and NaN to the last", () => {
    for (const ms of [0, -1, Number.NEGATIVE_INFINITY, 1e-9]) expect(binOf(ms)).toBe(0);
    for (const ms of [LATENCY_MAX_MS, 1e12, Number.POSITIVE_INFINITY, Number.NaN])
      expect(binOf(ms)).toBe(BIN_COUNT - 1);
  });
});

describe("LatencySketch", () => {
  it("drains what was recorded, ascending and without zeros, and is empty then", () => {
    const sketch = new LatencySketch();
    for (const ms of [100, 5, 100, 3_000]) sketch.record(ms);
    expect(sketch.drain()).toEqual([binOf(5), 1, binOf(100), 2, binOf(3_000), 1]);
    expect(sketch.drain()).toEqual([]);
    for (const ms of [5, 3_000]) sketch.record(ms);
    expect(sketch.drain()).toEqual([binOf(5), 1, binOf(3_000), 1]);
  });

  it("adds other sketches to the same bins as mergeBins", () => {
    fc.assert(
      fc.property(fc.array(aSample, { maxLength: 6 }), (samples) => {
        const sketch = new LatencySketch();
        for (const sample of samples) sketch.add(sketchOf(sample));
        expect(sketch.drain()).toEqual(samples.map(sketchOf).reduce(mergeBins, []));
      }),
    );
  });
});

describe("mergeBins", () => {
  it("is commutative, associative and equal to recording everything in one sketch, to the last byte", () => {
    fc.assert(
      fc.property(aSample, aSample, aSample, (a, b, c) => {
        const [x, y, z] = [sketchOf(a), sketchOf(b), sketchOf(c)];
        const whole = encodeBins(sketchOf([...a, ...b, ...c]));
        expect(encodeBins(mergeBins(mergeBins(x, y), z))).toEqual(whole);
        expect(encodeBins(mergeBins(x, mergeBins(y, z)))).toEqual(whole);
        expect(encodeBins(mergeBins(z, mergeBins(y, x)))).toEqual(whole);
      }),
    );
  });

  it("changes neither of its arguments", () => {
    const [a, b] = [Object.freeze([1, 2, 5, 1]), Object.freeze([0, 3, 5, 4])];
    expect(mergeBins(a, b)).toEqual([0, 3, 1, 2, 5, 5]);
  });
});

describe("quantileOf", () => {
  it("is null without samples, and the only sample's bin for every p", () => {
    expect(quantileOf([], 0.5)).toBeNull();
    for (const p of [0, 0.5, 1]) expect(quantileOf(sketchOf([100]), p)).toBeCloseTo(100, -0.5);
  });

  it.each([
    ["lognormal", lognormal],
    ["bimodal", bimodal],
  ])(
    "is within 0.8 %% of the exact p50, p90, p95 and p99 of 200 000 %s latencies, whole and merged from 64",
    (_, make) => {
      const values = make(200_000);
      const shards = Array.from({ length: 64 }, (_unused, shard) =>
        sketchOf(values.filter((_v, i) => i % 64 === shard)),
      );
      const whole = sketchOf(values);
      expect(shards.reduce(mergeBins, [])).toEqual(whole);
      const sorted = values.slice().sort();
      for (const p of [0.5, 0.9, 0.95, 0.99]) {
        const exact = sorted[Math.ceil(p * sorted.length) - 1] as number;
        expect(Math.abs((quantileOf(whole, p) as number) / exact - 1)).toBeLessThanOrEqual(0.008);
      }
    },
  );

  it("is within 1/128 of the exact order statistic of any sample", () => {
    const p = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(aLatencyMs, { minLength: 1, maxLength: 100 }), p, (sample, share) => {
        const sorted = sample.slice().sort((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] as number;
        return Math.abs((quantileOf(sketchOf(sample), share) as number) - exact) <= exact / 128;
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("countAbove", () => {
  it("counts the bins above the threshold's bin and not that bin itself", () => {
    const bins = sketchOf([90, 100, 100.1, 120, 5_000]);
    expect(binOf(100)).toBe(binOf(100.1));
    expect([countAbove(bins, 100), countAbove(bins, 1), countAbove(bins, 5_000), countAbove([], 1)]).toEqual([
      2, 5, 0, 0,
    ]);
    expect(countBins(bins)).toBe(5);
  });

  it("differs from the exact count only by samples of the threshold's own bin", () => {
    fc.assert(
      fc.property(aSample, aLatencyMs, (sample, thresholdMs) => {
        const exact = sample.filter((ms) => ms > thresholdMs).length;
        const inside = sample.filter((ms) => binOf(ms) === binOf(thresholdMs)).length;
        const counted = countAbove(sketchOf(sample), thresholdMs);
        return counted <= exact && exact <= counted + inside;
      }),
    );
  });
});

describe("encodeBins", () => {
  it("writes a million lognormal latencies in at most 1700 bytes", () => {
    const bytes = encodeBins(sketchOf(lognormal(1_000_000)));
    expect(bytes.length).toBeLessThanOrEqual(1_700);
    expect(bytes.length).toBeGreaterThan(800); // Hundreds of bins hold something; fewer bytes would be a lost tail.
  });

  it("is undone by decodeBins", () => {
    fc.assert(
      fc.property(aSample, (sample) => {
        expect(decodeBins(encodeBins(sketchOf(sample)))).toEqual(sketchOf(sample));
      }),
    );
  });
});

describe("decodeBins", () => {
  it("is null for truncated, zero, overlong, out-of-range and oversized numbers", () => {
    for (const hex of [
      "01",
      "80",
      "0100",
      "0001",
      "8100" + "01",
      "0180",
      "c10e01",
      `01${"ff".repeat(7)}1f`,
      `01${"80".repeat(12)}01`,
    ]) {
      expect(decodeBins(Buffer.from(hex, "hex"))).toBeNull();
    }
  });

  it("answers any bytes with null or with the one sketch that has these bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const bins = decodeBins(bytes);
        if (bins !== null) expect(encodeBins(bins)).toEqual(bytes);
      }),
      { numRuns: 5_000 },
    );
  });
});
