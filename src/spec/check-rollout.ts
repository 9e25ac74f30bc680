import { suggestion } from "../core/did-you-mean.ts";
import type { GateName } from "../core/gate/options.ts";
import type { Problem } from "../core/problem.ts";
import { GATE_SCHEMAS } from "./gate-schema.ts";
import type { RolloutDocument } from "./rollout-schema.ts";
import { type Path, pathText, type Source } from "./source.ts";

/** Above this share a stage may not go on without proof (decision-policy.md). */
const PROCEED_BELOW_PERCENT = 25;

/** Rules between the fields of a document that is well formed: what each value may be is the schema's business. */
export function checkRollout(document: RolloutDocument, source: Source): readonly Problem[] {
  const problem = (path: Path, code: string, message: string, fix?: string): Problem => ({
    code,
    path: pathText(path),
    at: source.locate(path),
    message,
    ...(fix === undefined ? {} : { fix }),
  });
  return [
    ...checkArms(document, problem),
    ...checkIdentity(document, problem),
    ...checkSteps(document, problem),
    ...checkGates(document, source, problem),
  ];
}

type Report = (path: Path, code: string, message: string, fix?: string) => Problem;

function checkArms({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const problems: Problem[] = [];
  if (new URL(spec.stable.url).href === new URL(spec.candidate.url).href) {
    const message = "stable and candidate have the same url, so there is nothing to compare";
    problems.push(problem(["spec", "candidate", "url"], "E110", message, "give the candidate its own address"));
  }
  const { cachePrefix } = spec.candidate;
  if (cachePrefix !== undefined && cachePrefix === spec.stable.cachePrefix) {
    const message = `both arms use the cache prefix "${cachePrefix}"; shared keys let one arm read what the other wrote`;
    problems.push(
      problem(["spec", "candidate", "cachePrefix"], "E111", message, "use a different prefix for each arm"),
    );
  }
  return problems;
}

function checkIdentity({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const trusted = spec.route.trustedHeaders.map((header) => header.toLowerCase());
  return spec.route.stickyBy.flatMap(({ header }, index) => {
    if (trusted.includes(header.toLowerCase())) return [];
    const message = `header "${header}" is not in trustedHeaders; anybody could choose an arm by sending it`;
    const fix = `add "${header}" to spec.route.trustedHeaders when your own proxy sets it after authentication`;
    return [problem(["spec", "route", "stickyBy", index, "header"], "E112", message, fix)];
  });
}

function checkSteps({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const problems: Problem[] = [];
  const steps = spec.strategy?.canary.steps ?? [];
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
  const isLast = (index: number) => steps.slice(index + 1).every((step) => step.weight === undefined);
  const full = steps.findIndex((step) => step.weight === 100);
  if (full >= 0 && !(isLast(full) && full === steps.length - 1)) {
    problems.push(
      problem(["spec", "strategy", "canary", "steps", full], "E115", "100 % is the last step; nothing may follow it"),
    );
  }
  return problems;
}

function checkGates({ spec }: RolloutDocument, source: Source, problem: Report): readonly Problem[] {
  const problems: Problem[] = [];
  spec.gates.forEach((entry, index) => {
    const at = ["spec", "gates", index] as const;
    const { use, gate, ...options } = entry;
    if ((use === undefined) === (gate === undefined)) {
      problems.push(
        problem(at, "E118", "an entry of gates has either use (a preset) or gate (one gate), exactly one of them"),
      );
      return;
    }
    const known = gate === undefined ? [] : Object.keys(GATE_SCHEMAS[gate as GateName].shape);
    for (const key of Object.keys(options)) {
      if (known.includes(key)) continue;
      const message =
        known.length === 0
          ? `unknown key "${key}"; a preset takes no options`
          : `unknown key "${key}"; ${suggestion(key, known)}`;
      problems.push({ code: "E104", path: pathText([...at, key]), at: source.locateKey(at, key), message });
    }
    if (gate === undefined) return;
    const parsed = GATE_SCHEMAS[gate as GateName].partial().safeParse(options);
    for (const issue of parsed.success ? [] : parsed.error.issues) {
      if (issue.code === "unrecognized_keys" && issue.path.length === 0) continue;
      problems.push(problem([...at, ...(issue.path as (string | number)[])], "E119", `${gate}: ${issue.message}`));
    }
  });
  if (!spec.gates.some((entry) => entry.use !== undefined)) {
    const message = "no preset is used; a rollout without one has no error gate";
    problems.push(problem(["spec", "gates"], "E118", message, "add `- use: default` and put your own gates after it"));
  }
  return problems;
}
