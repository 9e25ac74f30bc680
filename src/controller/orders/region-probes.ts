import { verdictOf } from "../../core/drill/compare.ts";
import { type DrillPlan, regionOf } from "../../core/drill/plan.ts";
import { unmeasured, type Verdict } from "../../core/verdict.ts";
import type { DrillTools } from "./drill-tools.ts";

/** Part of the questions that has to converge, with none that is chaotic. @source definitions.md §5, level `loose` */
const CONVERGENT = 0.8;

const NONE_ASKED = "no questions are asked: the document names no probe set, or the controller asks none";

function questionsOf(plan: DrillPlan, region: string) {
  const { set, k } = plan.probe;
  const other = region === plan.survivor ? plan.evacuate : plan.survivor;
  return set === null ? null : { set, k, of: regionOf(plan, region).url, against: regionOf(plan, other).url };
}

/** Whether the same questions get the same citations and outcome in both regions. @source definitions.md §8 */
export async function answersEqual(tools: DrillTools, plan: DrillPlan, signal: AbortSignal): Promise<Verdict> {
  const gate = "answers_equal";
  const questions = questionsOf(plan, plan.evacuate);
  if (questions === null || tools.regionProbe === null) return unmeasured(gate, "no-data", NONE_ASKED);
  const count = plan.probe.dualhomeK;
  const { asked, unequal } = await tools.regionProbe.compare({ ...questions, count }, signal);
  if (asked === 0) return unmeasured(gate, "no-data", "no question was answered by both regions");
  const numbers = { estimate: unequal.length, threshold: 0, samples: asked };
  const [first] = unequal;
  if (first === undefined) return verdictOf(gate, "pass", `${asked} questions are answered alike`, numbers);
  const { question, of, against } = first;
  const found = `${unequal.length} of ${asked} questions are answered otherwise, such as ${question}: ${of} in ${plan.evacuate}, ${against} in ${plan.survivor}`;
  return verdictOf(gate, "fail", `${found}; rebuild its index and purge its caches`, numbers);
}

/** ΔS or λ of the whole set in one region. */
export async function probed(
  tools: DrillTools,
  plan: DrillPlan,
  gate: "ΔS_probe" | "λ_state",
  region: string,
  signal: AbortSignal,
): Promise<Verdict> {
  const questions = questionsOf(plan, region);
  if (questions === null || tools.regionProbe === null) return unmeasured(gate, "no-data", NONE_ASKED);
  const { arms } = await tools.regionProbe.run(questions, signal);
  const { deltaS, coverage, lambda, measuredQuestions: samples } = arms.candidate;
  if (samples === 0) return unmeasured(gate, "no-data", `${region} answered no question`);
  if (gate === "λ_state") {
    const { convergentShare: share, states } = lambda;
    const isFine = share >= CONVERGENT && states["×"] === 0;
    const found = `${(share * 100).toFixed(0)} % of the questions converge in ${region}, ${states["×"]} are chaotic`;
    const numbers = { estimate: share, threshold: CONVERGENT, samples };
    return verdictOf(gate, isFine ? "pass" : "fail", `${found}; expected 80 % and none`, numbers);
  }
  const { deltaSRisk, coverageMin } = plan.probe;
  const isFine = deltaS.median < deltaSRisk && coverage.estimate >= coverageMin;
  const found = `median ΔS is ${deltaS.median.toFixed(2)} in ${region}, coverage ${coverage.estimate.toFixed(2)}`;
  const numbers = { estimate: deltaS.median, threshold: deltaSRisk, samples };
  return verdictOf(
    gate,
    isFine ? "pass" : "fail",
    `${found}; expected below ${deltaSRisk} and from ${coverageMin} on`,
    numbers,
  );
}
