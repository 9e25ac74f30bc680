import { describe, expect, it } from "vitest";
import { aBlock } from "../../../../test/builders.ts";
import { type OptionsOfGate, verdictOf } from "../../../../test/verdict-of.ts";
import type { Verdict } from "../../verdict.ts";
import type { Block } from "../block.ts";
import { queueAgeSlope } from "./queue-age-slope.ts";

type QueueAgeSlopeOptions = OptionsOfGate<typeof queueAgeSlope>;
const OPTIONS: QueueAgeSlopeOptions = {
  mode: "sequential",
  promote: 5,
  windowMs: 55_000,
  windows: 3,
  onNoData: "hold",
};

const judged = (options: Partial<QueueAgeSlopeOptions>, blocks: readonly Block[]): Verdict =>
  verdictOf(queueAgeSlope, { ...OPTIONS, ...options }, 25, blocks);

const reading = (percent: number, ageMs: number, endS: number): Block =>
  aBlock(percent, {}, { gauges: { queueAgeP95Ms: { sum: ageMs, readings: 1 } } }, endS);

/** A point every 10 s, from two readings of one age; six of them fill a window. */
const points = (agesMs: readonly number[], percent = 25, fromS = 0): readonly Block[] =>
  agesMs.flatMap((ageMs, index) => [5, 10].map((afterS) => reading(percent, ageMs, fromS + index * 10 + afterS)));

const line = (slopeMsPerS: number, count = 6) =>
  Array.from({ length: count }, (_, index) => 5_000 + slopeMsPerS * 10 * index);
/** Noise that tilts no line, and makes none of them certain. */
const noisy = (slopeMsPerS: number) => line(slopeMsPerS).map((ageMs, index) => ageMs + (index % 3 === 1 ? -900 : 900));

describe("queue-age-slope", () => {
  it("draws a least-squares line whose interval is the textbook's", () => {
    const agesMs = [2_030, 2_010, 2_110, 2_090, 2_190, 2_170];
    const verdict = judged({}, points(agesMs));
    // By hand, t = 0..50 s: sum of (t - 25)(age - 2100) is 6100, of (t - 25)^2 1750, of squared residuals 4937.142857;
    // t(0.975) of 4 degrees of freedom is 2.776445.
    const half = 2.776445 * Math.sqrt(4_937.142857 / 4 / 1_750);
    expect(verdict.estimate).toBeCloseTo(6_100 / 1_750, 9);
    expect(verdict.interval?.[0]).toBeCloseTo(6_100 / 1_750 - half, 5);
    expect(verdict.interval?.[1]).toBeCloseTo(6_100 / 1_750 + half, 5);
  });

  it("GQ-28: stops only when every one of the last windows rises", () => {
    const [up, flat] = [line(20), line(0)];
    expect(judged({}, points([...up, ...up])).kind).toBe("inconclusive");
    expect(judged({}, points([...up, ...up, ...up]))).toMatchObject({ kind: "fail", samples: { candidate: 3 } });
    expect(judged({}, points([...up, ...flat, ...up])).kind).toBe("inconclusive");
    expect(judged({}, points([...flat, ...up, ...up, ...up])).kind).toBe("fail");
    expect(judged({ windows: 1 }, points(up)).kind).toBe("fail");
  });

  it("takes the limit itself for no rise, and a fall that is too slow for no harm", () => {
    const atLimit = line(5);
    expect(judged({ mode: "literal" }, points([...atLimit, ...atLimit, ...atLimit])).kind).toBe("pass");
    const falling = line(-2);
    const wanted = { promote: -5, mode: "literal" } as const;
    expect(judged(wanted, points([...falling, ...falling, ...falling])).kind).toBe("inconclusive");
  });

  it("ST-9: literal takes the estimate alone where the interval says nothing yet", () => {
    const rising = points([...noisy(20), ...noisy(20), ...noisy(20)]);
    expect(judged({}, rising).kind).toBe("inconclusive");
    expect(judged({ mode: "literal" }, rising).kind).toBe("fail");
    expect(judged({}, points(noisy(0))).kind).toBe("inconclusive");
    expect(judged({ mode: "literal" }, points(noisy(0))).kind).toBe("pass");
  });

  it("says which data it waits for", () => {
    expect(judged({}, [aBlock(25, {}, { requests: 5 })])).toMatchObject({
      kind: "no-data",
      reason: "nothing reports the candidate's queue age",
      needs: "55 s of queue ages",
    });
    expect(judged({}, points(line(50, 5))).reason).toBe("no window of 55 s is full yet");
  });

  it("draws no line through fewer than 6 points, nor through points of one moment", () => {
    const sparse = Array.from({ length: 60 }, (_, index) => reading(25, 1_000 * index, index * 8));
    expect(judged({}, sparse).kind).toBe("no-data");
    const still = Array.from({ length: 40 }, () => reading(25, 9, 1));
    expect(judged({ windowMs: 0 }, still).kind).toBe("no-data");
  });

  it("begins anew at the next share and takes no late window of the share before", () => {
    const up = line(20);
    const story = [...points([...up, ...up], 10), ...points(up, 25, 120)];
    expect(judged({}, story)).toMatchObject({ kind: "inconclusive", samples: { candidate: 1 } });
    const late = points([...up, ...up], 10, 180);
    expect(judged({}, [...story, ...late]).samples.candidate).toBe(1);
  });

  it("keeps the slopes of the last 10 windows", () => {
    expect(judged({}, points(line(0, 6 * 14))).samples.candidate).toBe(10);
  });
});
