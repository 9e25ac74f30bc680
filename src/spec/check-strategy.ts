import type { Problem } from "../core/problem.ts";
import { growthOf } from "./pace-document.ts";
import { type RolloutDocument } from "./rollout-schema.ts";
import type { Report } from "./report.ts";

/** Above this share a stage may not go on without proof (decision-policy.md). */
const PROCEED_BELOW_PERCENT = 25;

/** Steps are climbed one by one, a pace chooses, a cutover moves everything at once: a document does one of them. */
export function checkStrategy({ spec: { strategy } }: RolloutDocument, problem: Report): readonly Problem[] {
  if (strategy === undefined) return [];
  const { canary, pace, blueGreen } = strategy;
  const ways = Object.entries({ "canary steps": canary, "a pace": pace, "a cutover": blueGreen });
  const given = ways.flatMap(([name, way]) => (way === undefined ? [] : [name]));
  if (given.length !== 1) {
    const found =
      given.length === 0
        ? "neither canary steps nor a pace"
        : `${given.length === 2 ? "both " : ""}${given.join(" and ")}`;
    const fix =
      "keep one: `canary: { steps: … }` for fixed shares, `pace: evidence` for chosen ones, `blueGreen: {}` for all at once; or no strategy";
    return [problem(["spec", "strategy"], "E135", `the strategy has ${found}`, fix)];
  }
  if (pace === undefined || pace === "evidence") return [];
  const { fastest, slowest } = growthOf(pace);
  if (fastest >= slowest) return [];
  const message = `the fastest growth (${fastest}) is below the slowest (${slowest}), so no share could follow`;
  return [problem(["spec", "strategy", "pace", "fastest"], "E136", message, `write fastest: ${slowest} or more`)];
}

export function checkSteps({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const problems: Problem[] = [];
  const steps = spec.strategy?.canary?.steps ?? [];
  let lastPercent = 0;
  steps.forEach((step, index) => {
    const at = ["spec", "strategy", "canary", "steps", index] as const;
    if ((step.probes === undefined) === (step.weight === undefined)) {
      problems.push(problem(at, "E113", "a step has either probes or weight, exactly one of them"));
      return;
    }
    if (step.probes !== undefined) {
      if (spec.probes === undefined) {
        const fix = "add spec.probes with the gold set, or remove the step";
        problems.push(problem([...at, "probes"], "E114", "the step asks for probes, but spec.probes is missing", fix));
      }
      if (step.hold !== undefined || step.cap !== undefined || step.onCap !== undefined) {
        problems.push(
          problem(at, "E113", "hold, cap and onCap belong to a weight step; a probe step ends when its probes end"),
        );
      }
      return;
    }
    const percent = step.weight ?? 0;
    if (percent <= lastPercent) {
      problems.push(
        problem([...at, "weight"], "E115", `weight ${percent} does not rise above ${lastPercent}; a ladder only rises`),
      );
    }
    lastPercent = percent;
    if (step.onCap === "proceed" && percent >= PROCEED_BELOW_PERCENT) {
      const message = `onCap: proceed is allowed below ${PROCEED_BELOW_PERCENT} %, found it at ${percent} %`;
      problems.push(problem([...at, "onCap"], "E116", message, "use onCap: wait"));
    }
    if (step.cap !== undefined && step.cap < (step.hold ?? 0)) {
      problems.push(
        problem([...at, "cap"], "E117", "cap is shorter than hold, so the stage could never be proven in time"),
      );
    }
  });
  if (spec.probes !== undefined && steps.length > 0 && steps.every((step) => step.probes === undefined)) {
    const message = "no step asks the gold questions of spec.probes, so broken answers would be promoted unseen";
    const fix = "add `- probes: true` before the first weight, or remove spec.probes";
    problems.push(problem(["spec", "strategy", "canary", "steps"], "E138", message, fix));
  }
  const isLast = (index: number) => steps.slice(index + 1).every((step) => step.weight === undefined);
  const full = steps.findIndex((step) => step.weight === 100);
  if (full >= 0 && !(isLast(full) && full === steps.length - 1)) {
    problems.push(
      problem(["spec", "strategy", "canary", "steps", full], "E115", "100 % is the last step; nothing may follow it"),
    );
  }
  return problems;
}
