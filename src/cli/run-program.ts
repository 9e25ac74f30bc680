import { type Command, CommanderError } from "commander";
import { LabError } from "../lab/lab-error.ts";
import { DriverError } from "../ports/driver-error.ts";
import { InputError } from "../probe/input-error.ts";
import { CliError } from "./cli-error.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { systemAdvice } from "./system-advice.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

/** Where a command leaves its exit code: commander's actions return nothing. */
export interface Outcome {
  code: ExitCode;
}

/**
 * Runs one command line and turns every way to end into an exit code. Expected failures are one message on stderr;
 * only a bug of ours shows a stack.
 */
export async function runProgram(
  build: (terminal: Terminal, outcome: Outcome) => Command,
  argv: readonly string[],
): Promise<number> {
  const terminal = processTerminal();
  const outcome: Outcome = { code: EXIT.ok };
  try {
    await build(terminal, outcome).parseAsync([...argv]);
    return outcome.code;
  } catch (error) {
    return explainFailure(error, terminal);
  }
}

/**
 * The same for a process of its own, with its exit code. What fails beside the command, in a timer or a listener, would
 * be written by the runtime with every secret in it; here it is told like a bug of the command.
 */
export async function runProcess(build: (terminal: Terminal, outcome: Outcome) => Command): Promise<void> {
  process.once("uncaughtException", (error) => process.exit(explainFailure(error, processTerminal())));
  process.exitCode = await runProgram(build, process.argv);
}

function explainFailure(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badUsage; // It has said why.
  if (error instanceof CliError) {
    terminal.say(error.message);
    return error.exitCode;
  }
  if (error instanceof DriverError) {
    terminal.say(`${error.message} (${error.code})`);
    return EXIT.toolError;
  }
  if (error instanceof InputError) {
    terminal.say(error.message);
    return error.code === "corpus" ? EXIT.toolError : EXIT.badUsage;
  }
  if (error instanceof LabError) {
    terminal.say(error.message);
    return error.code === "usage" ? EXIT.badUsage : EXIT.toolError;
  }
  const { message } = error as Error;
  const advice = systemAdvice(error);
  terminal.say(
    advice === undefined ? `internal error: ${(error as Error).stack ?? String(error)}` : `${message}: ${advice}`,
  );
  return EXIT.toolError;
}
