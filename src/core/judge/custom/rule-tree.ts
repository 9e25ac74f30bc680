import type { ASTNode } from "@marcbachmann/cel-js";

/** The parts of a node, in the order of the text. */
function partsOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [node.args[0]];
    case "call":
      return node.args[1];
    case "rcall":
      return [node.args[1], ...node.args[2]];
    case "list":
      return node.args;
    case "map":
      return node.args.flat();
    case "!_":
    case "-_":
      return [node.args];
    default:
      return node.args;
  }
}

/** A node as text again, every operand in parentheses: the package's own writer loses those of `a - (b - c)`. */
export function textOf(node: ASTNode): string {
  const list = (nodes: readonly ASTNode[]) => nodes.map(textOf).join(", ");
  switch (node.op) {
    case "value":
    case "id":
      return node.input.slice(node.start, node.end);
    case ".":
    case ".?":
      return `${textOf(node.args[0])}${node.op}${node.args[1]}`;
    case "[]":
      return `${textOf(node.args[0])}[${textOf(node.args[1])}]`;
    case "[?]":
      return `${textOf(node.args[0])}[?${textOf(node.args[1])}]`;
    case "call":
      return `${node.args[0]}(${list(node.args[1])})`;
    case "rcall":
      return `(${textOf(node.args[1])}).${node.args[0]}(${list(node.args[2])})`;
    case "list":
      return `[${list(node.args)}]`;
    case "map":
      return `{${node.args.map(([key, value]) => `${textOf(key)}: ${textOf(value)}`).join(", ")}}`;
    case "!_":
    case "-_":
      return `${node.op[0]}(${textOf(node.args)})`;
    case "?:":
      return `(${textOf(node.args[0])}) ? (${textOf(node.args[1])}) : (${textOf(node.args[2])})`;
    default:
      return `(${textOf(node.args[0])}) ${node.op} (${textOf(node.args[1])})`;
  }
}

/** `candidate.error_rate` or `metrics["queue-age"].stable` as its names; null for what is no such path. */
function pathOf(node: ASTNode): readonly string[] | null {
  if (node.op === "id") return [node.args];
  if (node.op === ".") return joined(pathOf(node.args[0]), node.args[1]);
  if (node.op !== "[]" || node.args[1].op !== "value") return null;
  const name = node.args[1].args;
  return typeof name === "string" ? joined(pathOf(node.args[0]), name) : null;
}

function joined(path: readonly string[] | null, name: string): readonly string[] | null {
  return path === null ? null : [...path, name];
}

/** Paths that the rule itself asks for with `has`: those may be missing. */
function askedFor(node: ASTNode): readonly string[] {
  if (node.op === "call" && node.args[0] === "has")
    return node.args[1].flatMap((part) => pathOf(part)?.join(".") ?? []);
  return partsOf(node).flatMap(askedFor);
}

/**
 * The first operand of a rule that the view does not have, as the rule writes it; null when all are there. What stands
 * beside an operator that does not look at it counts too: a rule that names an arm is not answered without that arm.
 */
export function missingOperand(rule: ASTNode, view: object): string | null {
  const optional = askedFor(rule);
  const search = (node: ASTNode): string | null => {
    if (node.op === "call" && node.args[0] === "has") return null;
    const path = pathOf(node);
    if (path !== null && path.length > 1) {
      const value = path.reduce<unknown>((at, name) => (isRecord(at) ? at[name] : undefined), view);
      return value !== undefined || optional.includes(path.join(".")) ? null : path.join(".");
    }
    for (const part of partsOf(node)) {
      const missing = search(part);
      if (missing !== null) return missing;
    }
    return null;
  };
  return search(rule);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Functions that go through a list and name its members themselves. */
const LOOPS: readonly string[] = ["all", "exists", "exists_one", "map", "filter", "bind"];

/** Whether a rule goes through a list, where an operand has no name of its own. */
export function hasLoop(node: ASTNode): boolean {
  return (node.op === "rcall" && LOOPS.includes(node.args[0])) || partsOf(node).some(hasLoop);
}

/** Operators that make a number. */
const MAKES_NUMBER: readonly string[] = ["/", "*", "+", "-", "%", "-_", "value", "call"];

/**
 * The first number on the way to the answer that is NaN or infinite. Branches that are not taken are not looked at, so
 * `stable.error_rate > 0.0 && candidate.error_rate / stable.error_rate > 3.0` asks first and divides then.
 */
export function unusableNumber(
  node: ASTNode,
  evaluate: (node: ASTNode) => unknown,
): { readonly node: ASTNode; readonly value: number } | null {
  switch (node.op) {
    case "&&":
    case "||": {
      const [left, right] = node.args;
      const broken = unusableNumber(left, evaluate);
      if (broken !== null) return broken;
      return evaluate(left) === (node.op === "||") ? null : unusableNumber(right, evaluate);
    }
    case "?:": {
      const [condition, yes, no] = node.args;
      return unusableNumber(condition, evaluate) ?? unusableNumber(evaluate(condition) === true ? yes : no, evaluate);
    }
    default: {
      for (const part of partsOf(node)) {
        const broken = unusableNumber(part, evaluate);
        if (broken !== null) return broken;
      }
      if (!MAKES_NUMBER.includes(node.op)) return null;
      const value = evaluate(node);
      return typeof value === "number" && !Number.isFinite(value) ? { node, value } : null;
    }
  }
}
