import { describe, expect, it } from "vitest";
import coverageVectors from "../../../test/vectors/coverage.v1.json" with { type: "json" };
import deltaSVectors from "../../../test/vectors/delta-s.v1.json" with { type: "json" };
import lambdaVectors from "../../../test/vectors/lambda.v1.json" with { type: "json" };
import rankVectors from "../../../test/vectors/rank.v1.json" with { type: "json" };
import { calibrate, calibrated } from "./calibration.ts";
import { coverageByOffsets } from "./coverage.ts";
import { type Distance, deltaS, deltaSOfRun, rankWeights } from "./delta-s.ts";
import { sectionKey } from "./gold.ts";
import { flips, type LambdaRun, type Outcome, questionState, runOutcome } from "./lambda.ts";
import { rankMeasure } from "./rank.ts";
import { tokenPlaces } from "./tokenizer.ts";

describe("delta-s.v1.json", () => {
  it.each(deltaSVectors.distance)("distance: $note", ({ left, right, value, flag }) => {
    const distance = deltaS(left, right);
    expect(distance.value).toBeCloseTo(value, 12);
    expect(distance.flag).toBe(flag);
  });

  it.each(deltaSVectors.weights)("weights: $note", ({ count, weights }) => {
    expect(rankWeights(count)).toHaveLength(count);
    for (const [rank, weight] of rankWeights(count).entries()) expect(weight).toBeCloseTo(weights[rank] ?? -1, 15);
  });

  it.each(deltaSVectors.runs)("run: $note", ({ distances, cited, weighted, flag, best, citedDistance }) => {
    const list = distances.map(
      (value): Distance => (value === null ? { value: 1, flag: "empty" } : { value, flag: null }),
    );
    const run = deltaSOfRun(list, (rank) => (cited as number[]).includes(rank));
    expect(run.weighted.value).toBeCloseTo(weighted, 12);
    expect([run.weighted.flag, run.best, run.cited]).toEqual([flag, best, citedDistance]);
  });

  it.each(deltaSVectors.calibration)("calibration: $note", ({ gold, decoy, mGold, mDecoy, auc, usable, map }) => {
    const calibration = calibrate(gold, decoy);
    expect(calibration.mGold).toBeCloseTo(mGold, 12);
    expect(calibration.mDecoy).toBeCloseTo(mDecoy, 12);
    expect(calibration.auc).toBeCloseTo(auc, 12);
    expect(calibration.usable).toBe(usable);
    expect(calibration.reason === null).toBe(usable);
    for (const [raw = Number.NaN, scaled = Number.NaN] of map) {
      expect(calibrated(raw, calibration)).toBeCloseTo(scaled, 12);
    }
  });
});

describe("coverage.v1.json", () => {
  const sections = new Map(coverageVectors.sections.map((entry) => [sectionKey(entry), entry]));

  it.each(coverageVectors.sections)("counts $tokens tokens in $section", ({ text, tokens }) => {
    expect(tokenPlaces(text).starts).toHaveLength(tokens);
  });

  it.each(coverageVectors.cases)("$note", ({ gold, retrieved, contextTokens, coverage }) => {
    const spans = gold.map(({ section, start, end, rev }: Span) => {
      return { doc: "d", section, start: start ?? null, end: end ?? null, rev: rev ?? null };
    });
    const passages = retrieved.map(({ section, start, end, rev }: Span) => {
      return { doc: "d", section, start: start ?? null, end: end ?? null, rev: rev ?? null, text: "" };
    });
    const tokensOf = (key: string) => {
      const section = sections.get(key);
      return section === undefined ? undefined : tokenPlaces(section.text);
    };
    const found = coverageByOffsets(spans, passages, tokensOf, contextTokens);
    if (coverage === null) expect(found).toBeNull();
    else expect(found).toBeCloseTo(coverage, 12);
  });
});

interface Span {
  section: string;
  start?: number;
  end?: number;
  rev?: string;
}

describe("lambda.v1.json", () => {
  const outcomes: Readonly<Record<string, Outcome | null>> = { r: "right", w: "wrong", f: "refused", e: null };
  const runsOf = (words: readonly string[], sections?: readonly string[]): readonly LambdaRun[] => {
    const letters = words.flatMap((word, phrasing) =>
      [...word].map((letter, repetition) => ({ letter, phrasing, repetition })),
    );
    return letters.map(({ letter, phrasing, repetition }, index) => {
      const outcome = outcomes[letter] ?? null;
      return { phrasing, repetition, outcome, sections: new Set(sections?.[index] ?? "ab") };
    });
  };
  const states: readonly { runs: string[]; state: string; flips: number; note?: string; sections?: string[] }[] = [
    ...lambdaVectors.states,
    ...lambdaVectors.repetition.states,
  ];

  it.each(states)("$runs is $state with $flips flips", ({ runs, sections, state, flips: flipped }) => {
    expect(questionState(runsOf(runs, sections))).toBe(state);
    expect(flips(runsOf(runs, sections))).toBe(flipped);
  });

  it.each(lambdaVectors.outcomes)(
    "$outcome: $note",
    ({ outcome, isAnswerable, isRefused, hasCitations, hasEvidence }) => {
      expect(runOutcome({ isAnswerable, isRefused, hasCitations, hasEvidence })).toBe(outcome);
    },
  );

  it("has a case for every state", () => {
    expect(new Set(states.map(({ state }) => state))).toEqual(new Set(["→", "=", "<>", "←", "×", "unknown"]));
  });
});

describe("rank.v1.json", () => {
  it.each(rankVectors.cases)("$note", ({ gold, retrieved, citations, k, ...expected }) => {
    const refs = (letters: string) => [...letters].map((section) => ({ doc: "d", section }));
    const measured = rankMeasure(
      {
        retrieved: refs(retrieved).map((ref) => ({ ...ref, rev: null, start: null, end: null, text: "" })),
        citations: refs(citations),
      },
      refs(gold).map((ref) => ({ ...ref, rev: null, start: null, end: null })),
      k,
    );
    for (const [name, value] of Object.entries(measured)) {
      expect(value, name).toBeCloseTo(expected[name as keyof typeof measured], 12);
    }
  });
});
