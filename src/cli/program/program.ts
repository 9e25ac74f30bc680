import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { ExitCode } from "../exit-code.ts";
import type { Outcome } from "../run-program.ts";
import type { Terminal } from "../terminal.ts";
import { addDrills } from "./drills.ts";
import { addPlanes } from "./planes.ts";
import { addIndexes } from "./indexes.ts";
import { addJudge } from "./judge.ts";
import { addLab } from "./lab.ts";
import { addLocal } from "./local.ts";
import { DATA_DIR } from "./options.ts";
import { addProbes } from "./probes.ts";
import { addRemote } from "./remote.ts";
import { addKey, addTokens } from "./tokens.ts";

/** Of the package this file is part of; the same three folders up in the sources and in `dist`. */
function ownVersion(): string {
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/**
 * Every command, its options and what runs it. Commands are imported when they are called, so that `sluice --help` does
 * not load a database.
 */
export function buildProgram(terminal: Terminal, outcome: Outcome): Command {
  const program = new Command("sluice")
    .description("Ships a new release of a RAG or LLM service and proves it did not get worse.")
    .enablePositionalOptions() // Options after a subcommand are its own, also where its parent has one of that name.
    .version(ownVersion(), "--version", "print the version")
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => terminal.data(text.trimEnd()),
      writeErr: (text) => terminal.say(text.trimEnd()),
    });
  const verb = (name: string, summary: string, parent: Command = program): Command =>
    parent.command(name).description(summary).option("--json", "machine-readable output", false).exitOverride();
  const remote = (name: string, summary: string, parent?: Command): Command =>
    verb(name, summary, parent)
      .option("--data <dir>", "data directory of the controller", DATA_DIR)
      .option("--controller <url>", "address of the controller, when its data directory is elsewhere");
  const act = <T extends unknown[]>(work: (...args: T) => Promise<ExitCode>) => {
    return async (...args: unknown[]): Promise<void> => {
      outcome.code = await work(...(args.slice(0, -1) as T));
    };
  };
  addLocal(verb, act, terminal);
  addRemote(remote, act, terminal);
  addPlanes(program, remote, act, terminal);
  addTokens(program, remote, verb, act, terminal);
  addKey(program, remote, act, terminal);
  addProbes(program, verb, act, terminal);
  addJudge(verb, act, terminal);
  addIndexes(program, verb, act, terminal);
  addDrills(program, remote, verb, act, terminal);
  addLab(program, verb, act, terminal);
  return program;
}
