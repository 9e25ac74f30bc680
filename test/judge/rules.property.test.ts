import { describe, expect, it } from "vitest";
import { checkRule } from "../../src/core/judge/custom/expression.ts";
import { foldEvidence, foldReading, isHarmProven, judgeTraffic, startEvidence } from "../../src/core/judge/engine.ts";
import { type RandomStream, randomStream } from "../../src/core/stats/random.ts";
import { binOf } from "../../src/core/window/sketch.ts";
import type { ArmWindow } from "../../src/core/window/window.ts";
import { aBlock, after } from "../builders.ts";
import { atShare } from "../verdict-of.ts";

const ASKED = process.env["SLUICE_RULES"];
/** How many rules are drawn; `npm run bench:rules` draws a hundred thousand. */
const DRAWN = Number(ASKED ?? 3_000);

/** What an operand reads; null when nobody measured it. */
type Operands = Readonly<Record<string, number | null>>;
/** A number on the way that is NaN or infinite. */
class Unusable extends Error {}

/** A drawn expression: its text, the operands it names, and what it comes to, by plain arithmetic. */
interface Drawn<T> {
  readonly text: string;
  readonly names: readonly string[];
  readonly value: (operands: Operands) => T;
}

const FIELDS = ["requests", "failures", "error_rate", "five_xx_rate", "p95_ms", "cold_share", "tool_loops"];
const NAMES = [
  ...["stable", "candidate"].flatMap((arm) => FIELDS.map((field) => `${arm}.${field}`)),
  'metrics["depth"].candidate',
  'metrics["depth"].stable',
];
const pick = <T>(random: RandomStream, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new Unusable();
  return value;
}

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  "/": (a, b) => a / b,
  "*": (a, b) => a * b,
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
};
const COMPARED: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

function drawNumber(random: RandomStream, depth: number): Drawn<number> {
  if (depth === 0 || random() < 0.3) {
    if (random() < 0.2) {
      const constant = pick(random, [0, 0.01, 1, 2, 100]);
      return { text: constant.toFixed(2), names: [], value: () => constant };
    }
    const name = pick(random, NAMES);
    return { text: name, names: [name], value: (operands) => operands[name] as number };
  }
  const left = drawNumber(random, depth - 1);
  if (random() < 0.1)
    return { text: `-(${left.text})`, names: left.names, value: (operands) => finite(-left.value(operands)) };
  const [sign, operate] = pick(random, Object.entries(ARITHMETIC));
  const right = drawNumber(random, depth - 1);
  return {
    text: `(${left.text}) ${sign} (${right.text})`,
    names: [...left.names, ...right.names],
    value: (operands) => finite(operate(left.value(operands), right.value(operands))),
  };
}

function drawRule(random: RandomStream, depth: number): Drawn<boolean> {
  const kind = random();
  if (depth === 0 || kind < 0.35) {
    const [left, right] = [drawNumber(random, 2), drawNumber(random, 2)];
    const [sign, compare] = pick(random, Object.entries(COMPARED));
    return {
      text: `(${left.text}) ${sign} (${right.text})`,
      names: [...left.names, ...right.names],
      value: (operands) => compare(left.value(operands), right.value(operands)),
    };
  }
  const left = drawRule(random, depth - 1);
  if (kind < 0.55) return { text: `!(${left.text})`, names: left.names, value: (operands) => !left.value(operands) };
  const right = drawRule(random, depth - 1);
  if (kind < 0.7) {
    const other = drawRule(random, depth - 1);
    return {
      text: `(${left.text}) ? (${right.text}) : (${other.text})`,
      names: [...left.names, ...right.names, ...other.names],
      value: (operands) => (left.value(operands) ? right.value(operands) : other.value(operands)),
    };
  }
  const isAnd = kind < 0.85;
  return {
    text: `(${left.text}) ${isAnd ? "&&" : "||"} (${right.text})`,
    names: [...left.names, ...right.names],
    value: (operands) =>
      isAnd ? left.value(operands) && right.value(operands) : left.value(operands) || right.value(operands),
  };
}

/** An arm with zeros and gaps: nothing served, nothing failed, only failures, nothing counted. */
function drawArm(random: RandomStream): Partial<ArmWindow> {
  const requests = pick(random, [0, 1, 100, 400]);
  const failures = pick(random, [0, 0, Math.floor(requests / 2), requests]);
  const answers = requests - failures;
  const cold = pick(random, [0, 0, answers]);
  const at = (count: number, ms: number) => (count === 0 ? [] : [binOf(ms), count]);
  return {
    requests,
    failures,
    classes: failures === 0 ? {} : { "headers|5xx|503": failures },
    warm: at(answers - cold, 100),
    cold: at(cold, 900),
    counters: random() < 0.5 ? {} : { toolLoops: pick(random, [0, 2]) },
  };
}

/** What a rule may know of an arm, worked out once more from the window. */
function operandsOf(name: string, arm: Partial<ArmWindow>): Operands {
  const { requests = 0, failures = 0, warm = [], cold = [], counters = {} } = arm;
  const served = (value: number) => (requests === 0 ? null : value);
  const [warmCount, coldCount] = [warm[1] ?? 0, cold[1] ?? 0];
  const p95 = warmCount === 0 ? null : 100;
  return {
    [`${name}.requests`]: served(requests),
    [`${name}.failures`]: served(failures),
    [`${name}.error_rate`]: served(failures / requests),
    [`${name}.five_xx_rate`]: served(failures / requests),
    [`${name}.p95_ms`]: p95,
    [`${name}.cold_share`]: warmCount + coldCount === 0 ? null : coldCount / (coldCount + warmCount),
    [`${name}.tool_loops`]: counters.toolLoops === undefined ? null : served(counters.toolLoops),
  };
}

/** What has to come out: an absent operand first, then numbers that are none, then the answer itself. */
function expected(rule: Drawn<boolean>, operands: Operands): "no-data" | "error" | boolean {
  if (rule.names.some((name) => operands[name] === null || operands[name] === undefined)) return "no-data";
  try {
    return rule.value(operands);
  } catch (error) {
    if (error instanceof Unusable) return "error";
    throw error;
  }
}

/** Latencies come back as the middle of their bin: what a rule makes of them is known only when one is missing. */
const readsLatency = ({ names }: Drawn<boolean>) => names.some((name) => name.endsWith("p95_ms"));

describe("rules", () => {
  it(`are a yes or a no on measured, finite numbers alone: ${DRAWN} drawn rules on data with zeros and gaps`, () => {
    const random = randomStream(20_261_128);
    const said: Record<string, number> = {};
    const counted = { "no-data": 0, error: 0, value: 0 };
    for (let index = 0; index < DRAWN; index++) {
      const rule = drawRule(random, 2);
      const purpose = random() < 0.5 ? "pass" : "fail";
      const options = purpose === "pass" ? { pass: rule.text, fail: null } : { pass: "true", fail: rule.text };
      expect(checkRule(rule.text, purpose), rule.text).toEqual([]);
      const settings = [{ gate: "custom", instance: "drawn", options: { ...options, minSamples: 1 }, source: "test" }];
      const [stable, candidate] = [drawArm(random), drawArm(random)];
      const depth = () => pick(random, [null, 0, 7, Number.NaN, Number.POSITIVE_INFINITY]);
      const [mine, other] = [depth(), depth()];
      const outcome = (value: number | null) =>
        value === null ? ({ kind: "no-data", reason: "stale" } as const) : ({ kind: "value", value } as const);
      const reading = { metric: "depth", atMs: after(0), candidate: outcome(mine), stable: outcome(other) };
      const block = aBlock(10, stable, candidate);
      const evidence = foldReading(foldEvidence(startEvidence(settings), block, settings), reading, settings);
      const [verdict] = judgeTraffic(evidence, atShare(10), settings);
      const named = rule.names.some((name) => name.startsWith("stable"));
      const isBlind = (stable.requests === 0 && named) || candidate.requests === 0;
      const key = `${verdict?.kind}${isBlind ? " without the data of an arm" : ""}`;
      said[key] = (said[key] ?? 0) + 1;
      if (isBlind) expect(["no-data", "error"], rule.text).toContain(verdict?.kind);
      const known = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null);
      const operands = {
        ...operandsOf("stable", stable),
        ...operandsOf("candidate", candidate),
        'metrics["depth"].candidate': known(mine),
        'metrics["depth"].stable': known(other),
      };
      const because = `${purpose} ${rule.text} on ${JSON.stringify(operands)}: ${verdict?.reason}`;
      expect(isHarmProven(evidence, atShare(10), settings), because).toBe(verdict?.kind === "fail");
      if ((candidate.requests ?? 0) < 1) {
        expect(verdict?.kind, because).toBe("no-data");
        continue;
      }
      const wanted = expected(rule, operands);
      // How near a bin's middle is to a number decides whether a rule divides by zero: only the missing are foreseen.
      if (readsLatency(rule) && wanted !== "no-data") continue;
      if (typeof wanted === "string") {
        counted[wanted]++;
        expect(verdict?.kind, because).toBe(wanted);
        continue;
      }
      counted.value++;
      const kind = purpose === "pass" ? (wanted ? "pass" : "inconclusive") : wanted ? "fail" : "pass";
      expect(verdict?.kind, because).toBe(kind);
    }
    if (ASKED !== undefined) console.log(`${DRAWN} rules: ${JSON.stringify(said)}`);
    // Every way of not knowing was met, so that none of the three can hide behind another.
    for (const [kind, count] of Object.entries(counted)) expect(count, kind).toBeGreaterThan(DRAWN / 100);
  });
});
