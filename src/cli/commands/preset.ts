import { suggestion } from "../../core/did-you-mean.ts";
import { type Preset, PRESETS } from "../../spec/preset/index.ts";
import { formatDurationMs } from "../../spec/duration.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

type Stage = Preset["stages"][number];

/** A preset with every gate and number it sets, as `--json` prints it. */
function presetAnswer({ name, version, says, from, gates, within, stages, pace, onFail }: Preset) {
  return {
    name,
    version,
    says,
    from,
    on_fail: onFail,
    stages,
    pace: pace ?? null,
    gates: Object.entries(gates).map(([gate, options]) => {
      const range = Object.entries(within).find(([kind]) => kind === gate)?.[1] ?? null;
      return { gate, options, within: range };
    }),
  };
}

function stageText(stage: Stage): string {
  if (stage.kind === "probes") return `probes (${stage.tier})`;
  if (stage.kind === "shadow") return `shadow for ${formatDurationMs(stage.holdMs)}`;
  const share = stage.kind === "watch" ? 100 : stage.candidateBp / 100;
  return `${share} % for ${formatDurationMs(stage.holdMs)}`;
}

function courseText({ stages, pace }: Preset): string {
  if (pace === undefined) return `ladder: ${stages.map(stageText).join(", ")}`;
  const shares = stages.flatMap((stage) => (stage.kind === "traffic" ? [stage.candidateBp / 100] : []));
  const ending = stages.filter(({ kind }) => kind !== "probes").slice(-2);
  return `shares chosen by evidence among ${shares.join(", ")} %; ${ending.map(stageText).join(", ")}`;
}

function presetLines(preset: Preset): readonly string[] {
  const { name, version, says, from, on_fail, gates } = presetAnswer(preset);
  return [
    `${name}@${version}: ${says}`,
    `  from: ${from}`,
    `  ${courseText(preset)}; a failed gate goes back to ${on_fail}`,
    ...gates.flatMap(({ gate, options, within }) => {
      const range = within === null ? "" : ` at ${within.fromBp / 100} to ${within.toBp / 100} %`;
      const numbers = Object.entries(options).map(([option, value]) => `    ${option} = ${JSON.stringify(value)}`);
      return [`  ${gate}${range}`, ...numbers];
    }),
  ];
}

/** `sluice preset [NAME]`: the presets, or every gate and number of one and the page they come from. */
export async function preset(
  name: string | undefined,
  options: { readonly json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const all = Object.values(PRESETS);
  const found = all.find((one) => one.name === name);
  if (name !== undefined && found === undefined) {
    const known = all.map((one) => one.name);
    throw new CliError(EXIT.badUsage, `unknown preset "${name}"; ${suggestion(name, known)}`);
  }
  if (options.json) {
    terminal.data(JSON.stringify(found === undefined ? all.map(presetAnswer) : presetAnswer(found)));
    return EXIT.ok;
  }
  const width = Math.max(...all.map((one) => one.name.length));
  const lines =
    found === undefined ? all.map((one) => `${one.name.padEnd(width)}  ${one.says} (${one.from})`) : presetLines(found);
  for (const line of lines) terminal.data(line);
  return EXIT.ok;
}
