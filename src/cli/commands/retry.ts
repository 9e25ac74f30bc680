import type { ControllerClient } from "../controller-client.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { readDocument } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";
import { apply, type ApplyOptions } from "./apply.ts";

/** `sluice retry FILE`: a new generation of a rollout that has ended. A running one is refused: abort it first. */
export async function retry(
  file: string,
  options: ApplyOptions,
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const { document } = await readDocument(file);
  const { name } = document.metadata;
  const { phase, ended_at: endedAt } = await client.status(name);
  if (endedAt === null)
    throw new CliError(EXIT.conflict, `rollout ${name} is ${phase}; abort it, or wait for its end, before a retry`);
  return apply(file, options, client, terminal);
}
