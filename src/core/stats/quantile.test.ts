import { describe, expect, it } from "vitest";
import vectors from "../../../test/vectors/stats.json" with { type: "json" };
import { foldBernoulli } from "./bernoulli-e-process.ts";
import { type QuantileComparison, quantilePValue, startExceedances } from "./quantile.ts";
import { type RandomStream, randomStream } from "./random.ts";
import { normalQuantile } from "./special.ts";

const numbers = (from: number, count: number): readonly number[] => Array.from({ length: count }, (_, i) => from + i);
const comparison = (quantile: number, alternative: QuantileComparison["alternative"]): QuantileComparison => ({
  quantile,
  tuning: { samples: 100, alpha: 0.05 },
  alternative,
});

describe("quantile p-value", () => {
  for (const { quantile, shift, pValue } of vectors.quantilePValue)
    it(`is ${pValue} for the ${quantile} quantile of 1..1000 against the same shifted by ${shift}`, () => {
      const found = quantilePValue(numbers(1, 1000), numbers(1 + shift, 1000), comparison(quantile, "two-sided"));
      expect(Math.abs(found / pValue - 1)).toBeLessThan(1e-5);
    });

  it("falls with the shift, and one-sided only when the candidate is the slower one", () => {
    const one = comparison(0.5, "candidate-higher");
    const values = [0, 50, 80, 100, 150].map((shift) =>
      quantilePValue(numbers(1, 1000), numbers(1 + shift, 1000), one),
    );
    expect([...values].sort((a, b) => b - a)).toEqual(values);
    expect(values[3]).toBeLessThan(0.0054947);
    expect(quantilePValue(numbers(151, 1000), numbers(1, 1000), one)).toBe(1);
  });

  it("is 1 for equal arms, for empty arms and for one value repeated", () => {
    const both = comparison(0.95, "two-sided");
    expect(quantilePValue(numbers(1, 500), numbers(1, 500), both)).toBe(1);
    expect(quantilePValue([], numbers(1, 500), both)).toBe(1);
    expect(quantilePValue([7, 7, 7, 7], [7, 7, 7], both)).toBe(1);
  });

  it("refuses values that are not sorted", () => {
    expect(() => quantilePValue([2, 1], [1], comparison(0.5, "two-sided"))).toThrow(/sorted/);
  });
});

interface Latency {
  readonly rps: number;
  readonly share: number;
  /** The candidate's latency over stable's. */
  readonly factor: number;
  /** Autocorrelation of a log level that both arms share, from second to second. */
  readonly autocorrelation: number;
}

/** Candidate requests until the exceedance e-process reaches ln(1/alpha); null when it does not in `limitS`. */
function requestsToProof(
  latency: Latency,
  test: { ratio: number; direction: "higher" | "lower"; alpha: number; limitS: number },
  next: RandomStream,
): number | null {
  const { rps, share, factor, autocorrelation } = latency;
  const normal = (): number => normalQuantile(Math.max(1e-12, next()));
  let state = startExceedances(0.95, test.direction);
  let shared = 0;
  // A running p95 by stochastic approximation: it knows earlier seconds only.
  let threshold = Math.exp(0.5 * 1.645);
  for (let s = 1; s <= test.limitS; s++) {
    shared = autocorrelation * shared + 0.3 * Math.sqrt(1 - autocorrelation ** 2) * normal();
    const count = { stable: { failures: 0, total: 0 }, candidate: { failures: 0, total: 0 } };
    for (let i = 0; i < rps; i++) {
      const arm = next() < share ? "candidate" : "stable";
      const ms = Math.exp((autocorrelation > 0 ? shared : 0) + 0.5 * normal()) * (arm === "candidate" ? factor : 1);
      count[arm].total++;
      if (ms > threshold * (arm === "candidate" ? test.ratio : 1)) count[arm].failures++;
    }
    state = foldBernoulli(state, count);
    if (state.logE >= -Math.log(test.alpha)) return state.candidate.total;
    const { failures, total } = count.stable;
    threshold *= Math.exp((0.5 * (failures - 0.05 * total)) / (20 + total));
  }
  return null;
}

function medianRequests(latency: Latency, test: Parameters<typeof requestsToProof>[1], runs: number): number {
  const found = Array.from({ length: runs }, (_, run) => requestsToProof(latency, test, randomStream(50 + run)));
  return found.map((n) => n ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
}

describe("exceedance e-process (live quantile comparison)", () => {
  const steady = { rps: 100, share: 0.1, factor: 1, autocorrelation: 0 };

  const exclusions = [
    { share: 0.1, requests: 300 },
    { share: 0.25, requests: 420 },
    { share: 0.5, requests: 600 },
  ];
  for (const { share, requests } of exclusions)
    it(`excludes p95 beyond 1.25 of stable's in a median of at most ${requests} candidate requests at share ${share}`, () => {
      const test = { ratio: 1.25, direction: "lower", alpha: 0.05, limitS: 300 } as const;
      expect(medianRequests({ ...steady, share }, test, 41)).toBeLessThanOrEqual(requests);
    });

  it("proves a p95 40 % above stable's to be above 1.10 in a median of at most 350 candidate requests", () => {
    const test = { ratio: 1.1, direction: "higher", alpha: 0.001, limitS: 200 } as const;
    expect(medianRequests({ ...steady, factor: 1.4 }, test, 41)).toBeLessThanOrEqual(350);
  });

  it("stops at most 1 of 100 healthy runs at alpha 0.01 when both arms share latency that drifts (AR 0.9)", () => {
    const test = { ratio: 1, direction: "higher", alpha: 0.01, limitS: 120 } as const;
    const drifting = { rps: 40, share: 0.25, factor: 1, autocorrelation: 0.9 };
    let stopped = 0;
    for (let run = 0; run < 100; run++) if (requestsToProof(drifting, test, randomStream(run)) !== null) stopped++;
    expect(stopped).toBeLessThanOrEqual(1);
  });
});
