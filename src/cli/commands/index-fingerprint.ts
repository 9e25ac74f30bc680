import { printableLine } from "../../core/printable.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";
import {
  type Expected,
  factsAnswer,
  factsLines,
  judgeReplacement,
  sayVerdicts,
  type StoreOptions,
  targetOf,
  withStore,
} from "./index-store.ts";

/** `sluice index fingerprint`: what an index says of itself, or where a name points and what is read through it. */
export async function indexFingerprint(
  options: StoreOptions & { readonly alias: string | null; readonly index: string | null },
  terminal: Terminal,
): Promise<ExitCode> {
  const { alias, index, json } = options;
  if (alias === null && index === null) throw new CliError(EXIT.badUsage, "give --index, or --alias, or both");
  return withStore(options, async (talk) => {
    const target = alias === null ? null : await targetOf(alias, talk);
    const through = alias === null ? [] : await talk.aliases.readThrough(alias, talk.signal);
    const name = index ?? target?.index ?? "";
    const facts = await talk.aliases.describe(name, talk.signal);
    if (facts === null) throw new CliError(EXIT.badUsage, `there is no index ${printableLine(name)} in this store`);
    if (json) {
      const named = alias === null ? {} : { alias, points_to: target, read_through: through };
      terminal.data(JSON.stringify({ ...factsAnswer(facts), ...named }));
      return EXIT.ok;
    }
    for (const line of factsLines(facts)) terminal.data(line);
    if (target !== null) {
      const moved = target.epoch === null ? "" : `, moved by epoch ${target.epoch}`;
      terminal.data(`${alias} points to ${target.index}${moved}; before: ${target.previous ?? "not known"}`);
      terminal.data(`  read through it: ${through.map((hash) => hash ?? "no stamp").join(", ")}`);
    }
    return EXIT.ok;
  });
}

/** `sluice index compare FROM TO`: whether TO may serve whoever reads FROM. Exit 10: no; 11: nobody can tell. */
export async function indexCompare(
  from: string,
  to: string,
  options: StoreOptions & Expected,
  terminal: Terminal,
): Promise<ExitCode> {
  return withStore(options, async (talk) => {
    const verdicts = await judgeReplacement(from, to, options, talk);
    const code = sayVerdicts(verdicts, terminal);
    if (options.json) {
      const told = verdicts.map(({ instance, kind, reason, needs }) => ({
        about: instance,
        verdict: kind,
        reason,
        needs,
      }));
      terminal.data(JSON.stringify({ from, to, may_replace: code === EXIT.ok, verdicts: told }));
    }
    return code;
  });
}
