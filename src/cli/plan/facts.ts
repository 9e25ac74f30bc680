import { SERVING_ARMS } from "../../core/arm.ts";
import { isProbeGate } from "../../core/judge/gates.ts";
import { minimumDetectableDrop } from "../../core/stats/power.ts";
import type { RolloutPlan } from "../../core/stage/plan.ts";
import { openGold } from "../../host/probe-targets.ts";
import type { PlanAnswer } from "../answer/plan-answer.ts";

/**
 * Standard deviation of one question's paired difference of coverage, assumed before anything is measured: 50 to 60
 * questions then see a drop of 0.11. @source statistics.md "Probe sets"
 */
export const ASSUMED_COVERAGE_DEVIATION = 0.33;

/** What the gold set of a plan costs and can see; null without probes. Rejects with DriverError when it is unusable. */
export async function probeFacts(plan: RolloutPlan): Promise<PlanAnswer["probes"]> {
  const { probes, gates } = plan;
  if (probes === null) return null;
  const { items } = await openGold(probes);
  const answerable = items.filter((item) => item.answerable).length;
  const phrasings = items.reduce((sum, item) => sum + item.phrasings.length, 0);
  return {
    questions: items.length,
    answerable,
    requests_an_arm: phrasings * probes.repeats,
    gates: gates.map(({ gate }) => gate).filter(isProbeGate),
    detectable_coverage_drop: answerable === 0 ? null : minimumDetectableDrop(ASSUMED_COVERAGE_DEVIATION, answerable),
  };
}

/** Whether both arms state what they are, so that a candidate redeployed under way is seen. */
export function identityFacts({ arms }: RolloutPlan): PlanAnswer["identity"] {
  const silent = SERVING_ARMS.filter((arm) => arms[arm].healthUrl === null);
  const map = arms.candidate.healthMap;
  const stated =
    map === undefined ? null : [...Object.keys(map.fields), ...(map.schemaRev === null ? [] : ["SCHEMA_REV"])];
  return {
    is_checked: silent.length === 0,
    without_health: silent,
    stated_fields: silent.length === 0 ? stated : null,
  };
}

export function describeProbes(facts: NonNullable<PlanAnswer["probes"]>): readonly string[] {
  const { questions, requests_an_arm: requests, gates, detectable_coverage_drop: drop } = facts;
  const sees =
    drop === null
      ? "no question is answerable, so coverage is not measured"
      : `a coverage drop of ${drop.toFixed(2)} is seen with power 0.8 (assuming a deviation of ${ASSUMED_COVERAGE_DEVIATION})`;
  return [
    `  gold set: ${questions} questions, ${requests} requests to each arm a run; detectable drop: ${sees}`,
    `  gates over answers: ${gates.join(", ")}`,
  ];
}

export function describeIdentity({
  is_checked: isChecked,
  without_health: silent,
  stated_fields: stated,
}: PlanAnswer["identity"]): string {
  if (!isChecked)
    return `  identity is not checked: ${silent.join(" and ")} ${silent.length === 1 ? "has" : "have"} no health endpoint (health: null)`;
  if (stated === null) return "  identity of both arms is compared every 5 s, in all fields";
  return `  identity of both arms is compared every 5 s, in what healthMap reads: ${stated.join(", ") || "nothing"}`;
}
