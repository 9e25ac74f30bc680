import { suggestion } from "../core/did-you-mean.ts";
import type { Gate } from "../core/judge/definition.ts";
import { findGate, GATES } from "../core/judge/gates.ts";
import type { Problem } from "../core/problem.ts";
import { optionsSchema } from "./gate-schema.ts";
import { PRESETS } from "./preset/index.ts";
import { gateEntry, type RolloutDocument } from "./rollout-schema.ts";
import type { Report } from "./report.ts";
import { valueAt } from "./shape.ts";
import { type Path, pathText, type Source } from "./source.ts";

/** What is wrong inside the entries of `gates` that have their shape, for a document that is wrong elsewhere. */
export function checkGateEntries(source: Source): readonly Problem[] {
  const entries = valueAt(source.value, ["spec", "gates"]);
  const problem: Report = (path, code, message) => ({ code, path: pathText(path), at: source.locate(path), message });
  return (Array.isArray(entries) ? entries : []).flatMap((entry: unknown, index) => {
    const parsed = gateEntry.safeParse(entry);
    return parsed.success ? checkEntry(parsed.data, ["spec", "gates", index], source, problem) : [];
  });
}

export function checkGates({ spec }: RolloutDocument, source: Source, problem: Report): readonly Problem[] {
  const problems = spec.gates.flatMap((entry, index) => [
    ...checkEntry(entry, ["spec", "gates", index], source, problem),
    ...checkRange(entry, ["spec", "gates", index], problem),
    ...checkRules(entry, ["spec", "gates", index], problem),
  ]);
  if (!spec.gates.some(isWholePreset)) {
    const message = "no preset is used; a rollout without one has no error gate";
    problems.push(problem(["spec", "gates"], "E118", message, "add `- use: default` and put your own gates after it"));
  }
  const named = spec.gates.map((entry) => (gateOf(entry)?.instanceBy === "name" ? entry : undefined));
  named.forEach((entry, index) => {
    const isSecond = named.findIndex((one) => one?.gate === entry?.gate && one?.name === entry?.name) !== index;
    if (entry?.name === undefined || !isSecond) return;
    const message = `a second ${entry.gate} gate is named "${entry.name}"`;
    problems.push(problem(["spec", "gates", index, "name"], "E120", message));
  });
  return problems;
}

/** Whether an entry names a preset that has an error gate, and does not only add gates to one. */
function isWholePreset({ use, strictestOf }: GateEntry): boolean {
  return [...(use === undefined ? [] : [use]), ...(strictestOf ?? [])].some((name) => PRESETS[name]?.isAddOn === false);
}

type GateEntry = RolloutDocument["spec"]["gates"][number];

export function gateOf({ gate }: GateEntry): Gate | null {
  return gate === undefined ? null : findGate(gate);
}

/** Exactly one of a preset, several presets and a gate; options only beside a gate, and only those it knows. */
function checkEntry(entry: GateEntry, at: Path, source: Source, problem: Report): readonly Problem[] {
  const { use, strictestOf, gate, name, within, ...options } = entry;
  if ([use, strictestOf, gate].filter((one) => one !== undefined).length !== 1) {
    const message = "an entry of gates has either use, strictestOf (presets) or gate (one gate), exactly one of them";
    return [problem(at, "E118", message)];
  }
  const schema = gate === undefined ? null : optionsSchema(gate);
  const known = schema === null ? [] : Object.keys(schema.shape);
  const problems = Object.keys(options)
    .filter((key) => !known.includes(key))
    .map((key): Problem => {
      const message = schema === null ? `unknown key "${key}"; a preset takes no options` : unknownOption(key, known);
      return { code: "E104", path: pathText([...at, key]), at: source.locateKey(at, key), message };
    });
  if (schema === null) {
    if (within !== undefined) problems.push(problem([...at, "within"], "E104", "within belongs to one gate"));
    return problems;
  }
  const isNamed = gateOf(entry)?.instanceBy === "name";
  if (isNamed !== (name !== undefined)) {
    const named = GATES.filter(({ instanceBy }) => instanceBy === "name").map((one) => one.name);
    const message = isNamed ? `a ${gate} gate needs a name` : `only ${named.join(", ")} gates have a name`;
    problems.push(problem(at, "E120", message));
  }
  const parsed = schema.safeParse(options);
  for (const issue of parsed.success ? [] : parsed.error.issues) {
    if (issue.code === "unrecognized_keys" && issue.path.length === 0) continue;
    problems.push(problem([...at, ...(issue.path as (string | number)[])], "E119", `${gate}: ${issue.message}`));
  }
  return problems;
}

function unknownOption(key: string, known: readonly string[]): string {
  return known.length === 0
    ? `unknown key "${key}"; this gate has no options`
    : `unknown key "${key}"; ${suggestion(key, known)}`;
}

function checkRange({ within }: GateEntry, at: Path, problem: Report): readonly Problem[] {
  if (within === undefined || within.from <= within.to) return [];
  return [
    problem([...at, "within"], "E121", `from ${within.from} is above to ${within.to}, so the gate is never asked`),
  ];
}

/** Rules are checked for syntax, names and types before any traffic moves. */
function checkRules(entry: GateEntry, at: Path, problem: Report): readonly Problem[] {
  const gate = gateOf(entry);
  if (gate === null) return [];
  const options = Object.entries(gate.options);
  const rules = options.flatMap(([option, { form }]) => {
    const rule = entry[option];
    if (form.kind !== "rule" || typeof rule !== "string") return [];
    return form.problems(rule).map((message) => problem([...at, option], "E122", message));
  });
  const isRule = options.some(([, { form }]) => form.kind === "rule");
  return isRule && !isTold(gate, entry) ? [...rules, problem(at, "E122", gate.asks ?? "")] : rules;
}

/** Whether an entry says every option that has no default. */
export function isTold({ options }: Gate, entry: GateEntry): boolean {
  return Object.entries(options).every(
    ([option, { fallback }]) => fallback !== undefined || entry[option] !== undefined,
  );
}
