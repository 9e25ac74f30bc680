import type { SummaryRules } from "./arm-report.ts";
import { calibrated } from "./calibration.ts";
import type { QuestionMeasure } from "./question-measure.ts";
import type { ItemMeasure, ItemReport } from "./report.ts";

/**
 * Each question by itself, so that a later reader can look up what one showed at one release.
 * @param stable the same questions in the same order, or none when only one target was asked
 * @source requirements.md GQ-30
 */
export function itemReports(
  stable: readonly QuestionMeasure[],
  candidate: readonly QuestionMeasure[],
  rules: SummaryRules,
): readonly ItemReport[] {
  return candidate.map((question, index) => {
    const before = stable[index];
    const { id, topic } = question;
    return {
      id,
      topic,
      stable: before === undefined ? null : measured(before, rules),
      candidate: measured(question, rules),
    };
  });
}

function measured({ deltaS, coverage, state, flips }: QuestionMeasure, { calibration }: SummaryRules): ItemMeasure {
  const onScale = deltaS === null || calibration === null ? deltaS : calibrated(deltaS, calibration);
  return { deltaS: onScale, coverage, lambda: state, flips };
}
