import { mean, median } from "../core/measure/aggregate.ts";
import { type Calibration, calibrated } from "../core/measure/calibration.ts";
import { type GoldItem, type ProbeAnswer, type SectionRef, sectionKey } from "../core/measure/gold.ts";
import { codePoints } from "../core/measure/tokenizer.ts";
import type { Anchors } from "./anchors.ts";
import { type AskedItem, type MeasureTools, measureAnswers } from "./measure-answers.ts";

/** An arm that answers from decoys must stay under this coverage and reach this calibrated ΔS. */
const COVERAGE_UNDER = 0.5;
const DELTA_S_FROM = 0.6;

/**
 * Measures an arm that does not exist: one that answers every question from its decoy. When these measurements do not
 * come out bad, the set or the judge cannot see a wrong answer and no verdict may rest on them.
 * @source definitions.md §3, "Every gate run carries a decoy self-test that must fail"
 */
export async function decoySelfTest(
  items: readonly GoldItem[],
  decoys: ReadonlyMap<string, SectionRef>,
  calibration: Calibration | null,
  tools: Omit<MeasureTools, "onQuestion">,
): Promise<"fired" | "did not fire"> {
  const asked = items.flatMap((item): readonly AskedItem[] => {
    const decoy = decoys.get(item.id);
    const text = decoy === undefined ? null : tools.anchors.text(sectionKey(decoy));
    if (decoy === undefined || text === null) return [];
    const answer = decoyAnswer(decoy, text, tools.anchors);
    const runs = item.phrasings.map((_, phrasing) => ({ kind: "answered" as const, phrasing, repetition: 0, answer }));
    return [{ item, runs: { stable: null, candidate: runs } }];
  });
  const { candidate } = await measureAnswers(asked, tools);
  const coverage = candidate.flatMap((question) => question.coverage ?? []);
  const distances = candidate.flatMap((question) => question.deltaS ?? []);
  if (coverage.length === 0 || distances.length === 0) return "did not fire";
  const isFar = calibration === null || calibrated(median(distances), calibration) >= DELTA_S_FROM;
  const isRight = candidate.some(({ modal }) => modal === "right");
  return mean(coverage) < COVERAGE_UNDER && isFar && !isRight ? "fired" : "did not fire";
}

function decoyAnswer({ doc, section }: SectionRef, text: string, anchors: Anchors): ProbeAnswer {
  const end = Math.max(codePoints(text), anchors.tokens(sectionKey({ doc, section }))?.length ?? 0);
  return {
    answer: "",
    refused: false,
    retrieved: [{ doc, section, rev: null, start: 0, end, text }],
    citations: [{ doc, section }],
  };
}
