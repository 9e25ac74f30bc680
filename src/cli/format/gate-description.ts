import type { Gate } from "../../core/judge/definition.ts";
import type { Field, FieldForm, NumberForm } from "../../core/judge/fields.ts";
import { GATES } from "../../core/judge/gates.ts";
import { bp } from "../../core/unit.ts";

/** One option of a gate as it is told. */
interface OptionAnswer {
  readonly name: string;
  readonly says: string;
  /** What may be written, in words. */
  readonly limits: string;
  /** What counts when a document says nothing; undefined, and left out of JSON, when it has to say it. */
  readonly default: unknown;
}

/** Everything a person may want to know of a gate before a rollout meets it. */
export interface GateAnswer {
  readonly name: string;
  readonly asks: string;
  readonly reads: Gate["reads"];
  readonly unit: string;
  readonly from: string;
  readonly may_stop: boolean;
  readonly options: readonly OptionAnswer[];
  /**
   * What it needs to speak at a usual stage; null where it needs no number of requests, or where a document has to say
   * more.
   */
  readonly needs: string | null;
  readonly conditions: readonly { readonly code: string; readonly means: string; readonly look_at: string }[];
}

/** The stage and the traffic that needs are told for. */
const USUAL = {
  stage: { kind: "traffic", candidateBp: bp(1_000), holdMs: 900_000, capMs: 28_800_000, onCap: "wait" },
  traffic: { requestsPerSecond: 100, failureRate: 0.005, latencySigma: 0.5 },
} as const;

function numberLimits({ least, most, isOpen, isWhole }: NumberForm): string {
  const kind = isWhole === true ? "whole number" : "number";
  const low = isOpen === undefined ? `${least} to` : `above ${least}, ${isOpen === "both" ? "below" : "at most"}`;
  return `${kind}, ${low} ${most}`;
}

function limitsOf(form: FieldForm): string {
  switch (form.kind) {
    case "number":
      return numberLimits(form);
    case "by-share":
      return `under10, under50, from50: each a ${numberLimits(form.of)}`;
    case "choice":
      return form.values.join(" or ");
    case "name":
      return `a name of spec.${form.of}`;
    case "rule":
      return "a rule in CEL";
    default:
      return "a text";
  }
}

function optionAnswer([name, { says, form, isNullable, fallback }]: readonly [string, Field<unknown>]): OptionAnswer {
  return { name, says, limits: `${limitsOf(form)}${isNullable ? ", or null" : ""}`, default: fallback };
}

function needsOf(gate: Gate): string | null {
  if (Object.values(gate.options).some(({ fallback }) => fallback === undefined)) return null;
  const needs = gate.needs(gate.defaults, USUAL.stage, USUAL.traffic);
  if (needs === null) return null;
  const { needsSamples, leastS = 0, detectable, fix } = needs;
  const seconds = Math.max(leastS, (needsSamples ?? 0) / (USUAL.traffic.requestsPerSecond / 10));
  const time =
    needsSamples === null
      ? `needs ${fix ?? "more"}`
      : `${needsSamples} candidate requests, about ${Math.ceil(seconds)} s`;
  return `at 10 % of 100 requests a second: ${time}; sees ${detectable}`;
}

/** A gate as `sluice gate` prints it, with or without `--json`. */
export function gateAnswer(gate: Gate): GateAnswer {
  const { name, says, reads, unit, from, options, conditions } = gate;
  return {
    name,
    asks: says,
    reads,
    unit,
    from,
    may_stop: Object.values(options).some(({ fallback }) => fallback === undefined) || gate.mayStop(gate.defaults),
    options: Object.entries(options).map(optionAnswer),
    needs: needsOf(gate),
    conditions: Object.entries(conditions).map(([code, { means, lookAt }]) => ({ code, means, look_at: lookAt })),
  };
}

const shown = (value: unknown): string => (value === undefined ? "must be given" : JSON.stringify(value));
const cell = (text: string): string => text.replaceAll("|", "\\|");

/** The tables of the documentation: every kind of gate, and every option with its default and its limits. */
export function gateTables(): readonly string[] {
  const answers = GATES.map(gateAnswer);
  const kinds = answers.map(({ name, asks, unit, from, conditions }) => {
    const codes = conditions.map(({ code }) => `\`${code}\``).join(", ");
    return `| \`${name}\` | ${cell(asks)} | ${cell(unit)} | ${cell(from)} | ${codes} |`;
  });
  const options = answers.flatMap(({ name, options }) =>
    options.map(
      (option) =>
        `| \`${name}\` | \`${option.name}\` | ${cell(option.says)} | \`${shown(option.default)}\` | ${cell(option.limits)} |`,
    ),
  );
  return [
    "| kind | asks | unit | reads | reason codes |",
    "|---|---|---|---|---|",
    ...kinds,
    "",
    "| kind | option | is | default | may be |",
    "|---|---|---|---|---|",
    ...options,
  ];
}

/** A gate as lines for a person. */
export function gateLines(gate: Gate): readonly string[] {
  const { name, asks, reads, unit, from, may_stop, options, needs, conditions } = gateAnswer(gate);
  return [
    `${name}: ${asks}`,
    `  reads: ${reads}, ${from}; its estimate is in ${unit}${may_stop ? "" : "; it holds and never stops"}`,
    ...options.map((option) => `  ${option.name} = ${shown(option.default)}: ${option.says} (${option.limits})`),
    ...(needs === null ? [] : [`  needs: ${needs}`]),
    ...conditions.map(({ code, means, look_at }) => `  ${code}: the candidate ${means}; look at ${look_at}`),
  ];
}
