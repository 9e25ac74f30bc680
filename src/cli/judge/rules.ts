import { SERVING_ARMS, type ServingArm } from "../../core/arm.ts";
import { suggestion } from "../../core/did-you-mean.ts";
import type { GateSetting } from "../../core/judge/setting.ts";
import type { Mode } from "../../core/judge/fields.ts";
import type { GateName } from "../../core/judge/gates.ts";
import type { Problem } from "../../core/problem.ts";
import type { Stage } from "../../core/stage/plan.ts";
import { type Bp, bp } from "../../core/unit.ts";
import { describeProblem } from "../../spec/excerpt.ts";
import { KNOWN_DRIVERS } from "../../host/driver-registry.ts";
import { planRollout } from "../../spec/plan.ts";
import { PRESETS } from "../../spec/preset/index.ts";
import { isProblems, readRollout } from "../../spec/read-rollout.ts";
import { parseSource } from "../../spec/source.ts";
import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { readNamedFile } from "../../host/named-file.ts";
import { previewPlan, readDocument } from "../read-document.ts";

/** Gates to judge by, and the ladder their hold is taken from. */
export interface GateRules {
  readonly gates: readonly GateSetting[];
  readonly ladder: readonly Stage[];
}

/** Gates and ladder of a preset. An unknown name is bad usage, with the name that was probably meant. */
export function rulesOfPreset(name: string): GateRules {
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (preset === undefined)
    throw new CliError(EXIT.badUsage, `unknown preset "${name}"; ${suggestion(name, Object.keys(PRESETS))}`);
  const source = `preset ${preset.name}@${preset.version}`;
  const gates = Object.entries(preset.gates).map(([gate, options]): GateSetting => {
    const within = preset.within[gate as GateName];
    return { gate, options: { ...options }, source, ...(within === undefined ? {} : { within }) };
  });
  return { gates, ladder: preset.stages };
}

/**
 * Gates of a file: a whole Rollout document, or only its list `gates`, with or without the key. A list that uses no
 * preset is judged by its own gates alone, on the ladder of `default`.
 */
export async function rulesOfFile(file: string): Promise<GateRules> {
  const text = await readNamedFile(file, "the gates");
  const source = parseSource(text);
  if (!("value" in source)) throw refused(source.map((problem) => describeProblem(problem, file, text)));
  const { value } = source;
  if (typeof value === "object" && value !== null && "kind" in value) {
    const { gates, stages } = await previewPlan(await readDocument(file));
    return { gates, ladder: stages };
  }
  const list: unknown = Array.isArray(value) ? value : (value as { gates?: unknown } | null)?.gates;
  const hasPreset = !Array.isArray(list) || list.some((entry) => Object(entry).use ?? Object(entry).strictestOf);
  const read = readRollout(
    JSON.stringify(documentAround(hasPreset ? list : [...list, { use: "default" }])),
    KNOWN_DRIVERS,
  );
  if (isProblems(read)) throw refused(read.map((problem) => placeless(problem, file)));
  const plan = planRollout(read.document, read.source, { file, ...NO_CONTEXT });
  const gates = hasPreset ? plan.gates : plan.gates.filter((setting) => !setting.source.startsWith("preset "));
  return { gates, ladder: plan.stages };
}

const NO_CONTEXT = {
  generation: 1,
  seed: 0,
  documentDigest: "",
  goldDigest: "",
  paths: { set: null, map: null, corpus: null },
  drivers: KNOWN_DRIVERS,
} as const;

/** The smallest document that holds a list of gates; everything else in it is never looked at. */
function documentAround(gates: unknown): unknown {
  const header = "x-user-id";
  return {
    apiVersion: "sluice/v1",
    kind: "Rollout",
    metadata: { name: "trace" },
    spec: {
      service: "trace",
      stable: { url: "http://127.0.0.1:1/" },
      candidate: { url: "http://127.0.0.1:2/" },
      route: { driver: "gateway", trustedHeaders: [header], stickyBy: [{ header }] },
      probes: { set: "trace" },
      gates,
    },
  };
}

/** Positions are those of the document around the list, so only the path inside the list is told. */
function placeless({ code, path, message, fix }: Problem, file: string): string {
  const advice = fix === undefined ? "" : `\n      fix: ${fix}`;
  return `${code} ${file}  ${path.replace(/^spec\./, "")}: ${message.replaceAll("spec.gates", "gates")}${advice}`;
}

function refused(lines: readonly string[]): CliError {
  return new CliError(EXIT.badUsage, lines.join("\n"));
}

/** Every gate that has a mode is read in this one. */
export function withMode(gates: readonly GateSetting[], mode: Mode): readonly GateSetting[] {
  return gates.map((setting) =>
    "mode" in setting.options ? { ...setting, options: { ...setting.options, mode } } : setting,
  );
}

/** Reads `green=candidate,blue=stable`. */
export function readArmMap(text: string): readonly (readonly [string, ServingArm])[] {
  return text.split(",").map((entry) => {
    const [name = "", arm = "", ...rest] = entry.split("=").map((part) => part.trim());
    if (name === "" || rest.length > 0 || arm === "")
      throw new CliError(EXIT.badUsage, `found --arm-map "${entry}", expected NAME=candidate,NAME=stable`);
    const known = SERVING_ARMS.find((one) => one === arm);
    if (known === undefined)
      throw new CliError(EXIT.badUsage, `unknown arm "${arm}" in --arm-map; ${suggestion(arm, SERVING_ARMS)}`);
    return [name, known] as const;
  });
}

/** Reads `9000:1000`, the ordered shares of stable and candidate, as the candidate's. */
export function readSplit(text: string): Bp {
  const shares = /^([0-9]{1,5}):([0-9]{1,5})$/.exec(text)?.slice(1).map(Number) ?? [];
  const [stable = 0, candidate = 0] = shares;
  if (shares.length === 2 && stable + candidate === 10_000) return bp(candidate);
  const message = `found --split "${text}", expected basis points of stable and candidate that sum to 10000, e.g. 9000:1000`;
  throw new CliError(EXIT.badUsage, message);
}
