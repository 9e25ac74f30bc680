import { errorRate } from "../../core/judge/errors/error-rate.ts";
import { newErrorClass } from "../../core/judge/errors/new-error-class.ts";
import { coverage } from "../../core/judge/probes/coverage.ts";
import { parity } from "../../core/judge/identity/parity.ts";
import { p95Warm } from "../../core/judge/latency/p95-warm.ts";
import { schemaViolation } from "../../core/judge/probes/schema-violation.ts";
import { lambda } from "../../core/judge/probes/lambda.ts";
import { suggestion } from "../../core/did-you-mean.ts";
import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { SCENES } from "./cutover/scene.ts";

/** How a rollout of the demo must end. */
interface Expected {
  readonly outcome: "promoted" | "rolled-back";
  /** Gates of which one must be named as the cause, without its topic; empty for a promotion. */
  readonly gates: readonly string[];
  /** True when no user request may reach the candidate. */
  readonly isUnseen: boolean;
}

/** One story: what is planted in the candidate, and the end it must come to. */
export interface Scenario {
  readonly name: string;
  readonly faults: readonly string[];
  readonly expected: Expected;
  /** Steps of the rollout document. Probes come before the first user, or after it where the story is about users. */
  readonly order: "probes-first" | "users-first";
  readonly says: string;
}

const promoted: Expected = { outcome: "promoted", gates: [], isUnseen: false };
const stoppedBy = (gate: string, isUnseen = false): Expected => ({ outcome: "rolled-back", gates: [gate], isUnseen });
/**
 * Against a stable without errors, the third 503 is a new class before twenty are a higher rate: either gate is right.
 */
const stoppedByErrors: Expected = {
  outcome: "rolled-back",
  gates: [errorRate.name, newErrorClass.name],
  isUnseen: false,
};

/** @source contracts.md, "sluice demo" */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "healthy",
    faults: ["healthy"],
    expected: promoted,
    order: "probes-first",
    says: "same corpus and index, a new prompt version",
  },
  {
    name: "dropped-sections",
    faults: ["dropped-sections=0.5"],
    expected: stoppedBy(coverage.name),
    order: "users-first",
    says: "half of the sections of two topics are missing from the candidate's index",
  },
  {
    name: "swapped-ids",
    faults: ["swapped-ids"],
    expected: stoppedBy(coverage.name, true),
    order: "probes-first",
    says: "the texts are right, the section ids under them are not",
  },
  {
    name: "tiny-chunks",
    faults: ["tiny-chunks"],
    expected: stoppedBy(coverage.name, true),
    order: "probes-first",
    says: "eight-word chunks: closer to the question, too small to answer it",
  },
  {
    name: "wrong-metric",
    faults: ["wrong-metric"],
    expected: stoppedBy(parity.name, true),
    order: "probes-first",
    says: "the candidate searches with another metric and nobody declared it",
  },
  {
    name: "slow",
    faults: ["slow"],
    expected: stoppedBy(p95Warm.name),
    order: "probes-first",
    says: "1.6 times the model time",
  },
  {
    name: "cold-start",
    faults: ["cold-start"],
    expected: promoted,
    order: "users-first",
    says: "many answers meet a cold instance, four times as slow; warm answers are as fast, and cold ones are only reported",
  },
  {
    name: "errors",
    faults: ["errors"],
    expected: stoppedByErrors,
    order: "users-first",
    says: "5 % of the candidate's answers are 503",
  },
  {
    name: "new-error-class",
    faults: ["new-error-class"],
    expected: stoppedByErrors,
    order: "users-first",
    says: "1 % of the candidate's answers are cut inside the body",
  },
  {
    name: "schema-break",
    faults: ["schema-break"],
    expected: stoppedBy(schemaViolation.name, true),
    order: "probes-first",
    says: "a fifth of the answers give citations in another shape",
  },
  {
    name: "unstable-answers",
    faults: ["unstable-answers"],
    expected: stoppedBy(lambda.name, true),
    order: "probes-first",
    says: "a quarter of the questions retrieve something else on every run",
  },
];

/** The two stories of a plain `sluice demo`. */
export const DEFAULT_SCENARIOS = ["healthy", "dropped-sections"] as const;

/** The scenario of a name; an unknown one is bad usage and names the known ones. */
export function scenarioNamed(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  const known = [...SCENARIOS, ...SCENES].map((scenario) => scenario.name);
  throw new CliError(EXIT.badUsage, `unknown scenario "${name}"; ${suggestion(name, known)}`);
}
