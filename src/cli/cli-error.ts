import type { ExitCode } from "./exit-code.ts";

/** An expected way for a command to end badly: message for stderr, code for the shell. Anything else is our bug. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}
