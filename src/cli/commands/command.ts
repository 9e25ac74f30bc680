import type { Command } from "../../core/rollout/event.ts";
import { CliError } from "../cli-error.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

export interface CommandOptions {
  readonly json: boolean;
  readonly full: boolean;
  readonly reason: string;
}

/**
 * `sluice promote|pause|resume|abort|rollback ROLLOUT`. Asking twice to go back is fine: the wanted state is there. The
 * other verbs say why they would change nothing.
 */
export async function command(
  verb: Command,
  rolloutId: string,
  options: CommandOptions,
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const { generation } = await client.status(rolloutId);
  const path = `/v1/rollouts/${encodeURIComponent(rolloutId)}/${verb}`;
  try {
    const { phase } = await client.post<{ phase: string }>(path, {
      full: options.full,
      reason: options.reason,
      generation,
    });
    if (options.json) terminal.data(JSON.stringify({ id: rolloutId, phase }));
    else terminal.say(`${rolloutId}: ${phase}`);
    return EXIT.ok;
  } catch (error) {
    const isRepeated =
      error instanceof CliError && error.cause === "no-effect" && (verb === "abort" || verb === "rollback");
    if (!isRepeated) throw error;
    terminal.say(error.message);
    return EXIT.ok;
  }
}
