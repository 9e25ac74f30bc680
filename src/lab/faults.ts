import { suggestion } from "../core/did-you-mean.ts";
import { LabError } from "./lab-error.ts";

interface FaultRule {
  readonly name: string;
  /** Level without `=x`; null for a fault that has no level. */
  readonly level: number | null;
  /** Accepted levels, both ends included. */
  readonly range: readonly [low: number, high: number] | null;
  readonly effect: string;
}

const SHARE = [0, 1] as const;

/** Every fault the laboratory can plant. They act from the start and may be combined. */
export const FAULTS = [
  { name: "healthy", level: null, range: null, effect: "nothing but another PROMPT_VER" },
  {
    name: "dropped-sections",
    level: 0.3,
    range: SHARE,
    effect: "share of the sections of two topics missing from the index",
  },
  {
    name: "swapped-ids",
    level: null,
    range: null,
    effect: "section ids exchanged in results and citations, texts right",
  },
  { name: "tiny-chunks", level: 8, range: [1, 40], effect: "words in a chunk" },
  { name: "wrong-metric", level: null, range: null, effect: "searches with l2 and says so" },
  { name: "slow", level: 1.6, range: [1, 100], effect: "factor on the model time" },
  { name: "errors", level: 0.05, range: SHARE, effect: "share of requests answered with 503" },
  { name: "new-error-class", level: 0.01, range: SHARE, effect: "share of answers cut inside the body" },
  { name: "schema-break", level: 0.2, range: SHARE, effect: "share of answers with citations as strings" },
  {
    name: "unstable-answers",
    level: 0.25,
    range: SHARE,
    effect: "share of sections below whose questions retrieval varies by run",
  },
  {
    name: "cold-start",
    level: 0.15,
    range: SHARE,
    effect: "share of requests that meet a cold instance, four times as slow",
  },
] as const satisfies readonly FaultRule[];

type FaultName = (typeof FAULTS)[number]["name"];

/** Planted faults with their levels; a fault without a level has 1. */
export type FaultSet = ReadonlyMap<FaultName, number>;

function unknownFault(name: string): LabError {
  const known = FAULTS.map((rule) => rule.name);
  return new LabError("usage", `unknown fault "${name}"; ${suggestion(name, known)}`);
}

/**
 * Reads `NAME` or `NAME=x` arguments.
 * @throws LabError `usage` for an unknown name (naming the known ones), a level out of range or one given twice
 */
export function parseFaults(faultArguments: readonly string[]): FaultSet {
  const faults = new Map<FaultName, number>();
  for (const argument of faultArguments) {
    const [name = "", ...rest] = argument.split("=");
    const rule = FAULTS.find((known) => known.name === name);
    if (rule === undefined) throw unknownFault(name);
    if (faults.has(rule.name)) throw new LabError("usage", `fault "${name}" is given twice; give it once`);
    const found = rest.join("=");
    if (rule.range === null) {
      if (rest.length > 0)
        throw new LabError("usage", `fault "${name}" takes no level, found "=${found}"; write ${name}`);
      faults.set(rule.name, 1);
      continue;
    }
    const level = rest.length === 0 ? rule.level : found.trim() === "" ? Number.NaN : Number(found);
    const [low, high] = rule.range;
    if (!(level >= low && level <= high) || (rule.name === "tiny-chunks" && !Number.isInteger(level))) {
      const need = `a number ${low}..${high} (${rule.effect})`;
      throw new LabError("usage", `fault "${name}" has level "${found}"; expected ${need}, e.g. ${name}=${rule.level}`);
    }
    faults.set(rule.name, level);
  }
  return faults;
}
