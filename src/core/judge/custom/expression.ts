import { type ASTNode, Environment, EvaluationError, ParseError } from "@marcbachmann/cel-js";
import { COUNTERS, GAUGES } from "../../window/window.ts";
import { hasLoop, missingOperand, textOf, unusableNumber } from "./rule-tree.ts";

/** What a rule sees. Numbers that were not measured are absent, and asking for one is no data. */
export interface RuleView {
  readonly stable: Readonly<Record<string, number>>;
  readonly candidate: Readonly<Record<string, number>>;
  /** By metric, then by arm. */
  readonly metrics: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Absent for a rule that stops. */
  readonly stage?: { readonly share_percent: number; readonly held_s: number };
}

export type RuleAnswer =
  | { readonly kind: "value"; readonly value: boolean }
  | { readonly kind: "no-data" | "error"; readonly reason: string };

/** `queueAgeP95Ms` as rules write it: `queue_age_p95_ms`. */
export function ruleName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Numbers of one arm that a rule may name. */
const ARM_FIELDS: readonly string[] = [
  "requests",
  "failures",
  "error_rate",
  "five_xx_rate",
  "p50_ms",
  "p95_ms",
  "cold_share",
  ...[...COUNTERS, ...GAUGES].map(ruleName),
];

const LIMITS = { maxAstNodes: 200, maxDepth: 32 };

const armSchema = Object.fromEntries(ARM_FIELDS.map((field) => [field, "double"]));
function newEnvironment(): Environment {
  return new Environment({ unlistedVariablesAreDyn: false, limits: LIMITS })
    .registerVariable({ name: "stable", schema: armSchema })
    .registerVariable({ name: "candidate", schema: armSchema })
    .registerVariable("metrics", "map<string, map<string, double>>");
}
const FAIL_RULES = newEnvironment();
const PASS_RULES = newEnvironment().registerVariable({
  name: "stage",
  schema: { share_percent: "double", held_s: "double" },
});

/**
 * Problems of a rule, found without data: syntax, unknown names, mixed types, or a result that is not a yes or no.
 * @source Common Expression Language, https://github.com/google/cel-spec (a double and an int do not multiply: write
 *   2.0)
 */
export function checkRule(expression: string, purpose: "pass" | "fail"): readonly string[] {
  try {
    const rule = (purpose === "pass" ? PASS_RULES : FAIL_RULES).parse(expression);
    const { valid, type, error } = rule.check();
    if (!valid) return [`"${expression}": ${error?.summary ?? "is not valid"}${placeOf(error)}`];
    if (type !== "bool") return [`"${expression}" is a ${type}, expected a yes or no (bool)`];
    if (hasLoop(rule.ast)) return [`"${expression}" goes through a list: name what it compares, one by one`];
    return [];
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return [`"${expression}": ${error.summary}${placeOf(error)}`];
  }
}

function placeOf(error: { readonly range?: { readonly start: number } } | undefined): string {
  return error?.range === undefined ? "" : ` at character ${error.range.start + 1}`;
}

/** Rules read so far; a document has few, and they are asked at every look. */
const parsed = new Map<string, ASTNode>();
const PARSED_MAX = 64;

function treeOf(environment: Environment, expression: string): ASTNode {
  const known = parsed.get(expression);
  if (known !== undefined) return known;
  if (parsed.size >= PARSED_MAX) parsed.clear();
  const { ast } = environment.parse(expression);
  parsed.set(expression, ast);
  return ast;
}

/**
 * Asks a rule that `checkRule` found nothing wrong with. An operand that was not measured is no data, wherever in the
 * rule it stands; a number on the way that is NaN or infinite is an error. Neither is ever a yes or a no, so a negation
 * cannot turn them into one.
 */
export function askRule(expression: string, view: RuleView): RuleAnswer {
  const environment = view.stage === undefined ? FAIL_RULES : PASS_RULES;
  const tree = treeOf(environment, expression);
  const missing = missingOperand(tree, view);
  if (missing !== null) return { kind: "no-data", reason: `"${expression}": ${missing} was not measured` };
  const evaluate = (node: ASTNode): unknown => environment.evaluate(textOf(node), { ...view });
  try {
    const broken = unusableNumber(tree, evaluate);
    if (broken !== null) {
      const reason = `"${expression}": ${textOf(broken.node)} is ${broken.value}, which is no number to decide on`;
      return { kind: "error", reason };
    }
    const value: unknown = environment.evaluate(expression, { ...view });
    if (typeof value === "boolean") return { kind: "value", value };
    return { kind: "error", reason: `"${expression}" answered ${String(value)}, expected yes or no` };
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    const reason = `"${expression}": ${error.summary}`;
    return { kind: error.code === "no_such_key" ? "no-data" : "error", reason };
  }
}
