import { describe, expect, it } from "vitest";
import { type OptionsOfGate, opened } from "../../../../test/verdict-of.ts";
import { after } from "../../../../test/builders.ts";
import { bp } from "../../unit.ts";
import type { Verdict } from "../../verdict.ts";
import type { Reading, ReadingOutcome } from "../block.ts";
import { metric } from "./metric.ts";

type MetricOptions = OptionsOfGate<typeof metric>;
const OPTIONS: MetricOptions = {
  metric: "queue",
  comparison: "absolute",
  better: "lower",
  promote: 10,
  stop: 20,
  failures: 2,
  passes: 2,
};
const STAGE = { kind: "traffic", candidateBp: bp(1_000), heldMs: 0, holdMs: 0 } as const;
const value = (number: number): ReadingOutcome => ({ kind: "value", value: number });

function judged(options: Partial<MetricOptions>, ...readings: readonly (readonly [number, number | null])[]): Verdict {
  const gate = opened(metric, { ...OPTIONS, ...options });
  const state = readings.reduce(
    (last, [candidate, stable], index) => {
      const reading: Reading = {
        metric: "queue",
        atMs: after(index),
        candidate: value(candidate),
        stable: stable === null ? null : value(stable),
      };
      return gate.read(last, reading);
    },
    gate.start({ known: [] }),
  );
  const verdict = gate.decide(state, STAGE);
  expect(gate.isHarmProven(state)).toBe(verdict.kind === "fail");
  return verdict;
}

const twice = (candidate: number, stable: number | null = null) =>
  [
    [candidate, stable],
    [candidate, stable],
  ] as const;

describe("metric", () => {
  it("counts a limit itself as within it, on either side", () => {
    expect(judged({}, ...twice(10)).kind).toBe("pass");
    expect(judged({}, ...twice(20)).kind).toBe("inconclusive");
    const higher = { better: "higher", promote: 10, stop: 5 } as const;
    expect(judged(higher, ...twice(10)).kind).toBe("pass");
    expect(judged(higher, ...twice(5)).kind).toBe("inconclusive");
  });

  it("says what was read, what is wanted and how often it was found", () => {
    expect(judged({}, ...twice(5), [12, null])).toMatchObject({
      kind: "inconclusive",
      gate: "metric",
      estimate: 12,
      threshold: 10,
      samples: { stable: 0, candidate: 3 },
      reason: "queue reads 12, at most 10 is wanted 2 times in a row, found 0",
    });
    const higher = { better: "higher", promote: 10, stop: 5 } as const;
    expect(judged(higher, ...twice(11)).reason).toBe("queue reads 11, at least 10 is wanted");
    expect(judged({}, ...twice(21))).toMatchObject({
      threshold: 20,
      reason: "queue reads 21: beyond 20 2 times in a row",
    });
  });

  it("subtracts stable for a difference and divides by it for a ratio", () => {
    expect(judged({ comparison: "difference" }, ...twice(15, 7))).toMatchObject({ kind: "pass", estimate: 8 });
    expect(judged({ comparison: "ratio" }, ...twice(15, 5))).toMatchObject({ kind: "pass", estimate: 3 });
  });

  it("takes nothing on both arms for equality, something against nothing for an error, and 0 of something for 0", () => {
    const ratio = { comparison: "ratio", promote: 1.2, stop: 2 } as const;
    expect(judged(ratio, ...twice(0, 0))).toMatchObject({ kind: "pass", estimate: 1 });
    expect(judged(ratio, ...twice(3, 0))).toMatchObject({ kind: "error", estimate: null });
    expect(judged(ratio, ...twice(3, 0)).reason).toContain("stable reads 0, so 3 has no ratio to it");
    expect(judged(ratio, ...twice(0, 4))).toMatchObject({ kind: "pass", estimate: 0 });
  });

  it("cannot compare with a stable that is not read, or not measured", () => {
    for (const comparison of ["difference", "ratio"] as const)
      expect(judged({ comparison }, ...twice(5)).reason).toBe(`queue: a ${comparison} needs a query for stable`);
    const all = { ...OPTIONS, comparison: "ratio" } as const;
    const stale: Reading = {
      metric: "queue",
      atMs: after(0),
      candidate: value(5),
      stable: { kind: "no-data", reason: "stale" },
    };
    const gate = opened(metric, all);
    const state = gate.read(gate.start({ known: [] }), stale);
    expect(state).toMatchObject({ last: { kind: "no-data", reason: "stable: stale" }, within: 0, beyond: 0 });
  });

  it("without a stop limit never stops, whatever it reads", () => {
    expect(judged({ stop: null }, ...twice(1e9), ...twice(1e9)).kind).toBe("inconclusive");
  });

  it("takes no reading of another metric", () => {
    const gate = opened(metric, OPTIONS);
    const start = gate.start({ known: [] });
    const other: Reading = { metric: "other", atMs: after(0), candidate: value(99), stable: null };
    expect(gate.read(start, other)).toBe(start);
    expect(gate.decide(start, STAGE)).toMatchObject({ kind: "no-data", needs: "a reading" });
  });
});
