import { suggestion } from "../../core/did-you-mean.ts";
import { findGate, GATE_NAMES, GATES } from "../../core/judge/gates.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { gateAnswer, gateLines } from "../format/gate-description.ts";
import type { Terminal } from "../terminal.ts";

/** `sluice gate [NAME]`: what a gate asks, its options, what it needs and where to look when it stops. */
export async function gate(
  name: string | undefined,
  options: { readonly json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const found = name === undefined ? null : findGate(name);
  if (name !== undefined && found === null)
    throw new CliError(EXIT.badUsage, `unknown gate "${name}"; ${suggestion(name, GATE_NAMES)}`);
  if (options.json) {
    terminal.data(JSON.stringify(found === null ? GATES.map(gateAnswer) : gateAnswer(found)));
    return EXIT.ok;
  }
  const width = Math.max(...GATE_NAMES.map(({ length }) => length));
  const lines = found === null ? GATES.map((one) => `${one.name.padEnd(width)}  ${one.says}`) : gateLines(found);
  for (const line of lines) terminal.data(line);
  return EXIT.ok;
}
