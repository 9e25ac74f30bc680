import type { Command } from "../../core/rollout/event.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

export interface CommandOptions {
  readonly json: boolean;
  readonly full: boolean;
  readonly despite: boolean;
  readonly reason: string;
}

/** Answer to a command: what it did, or that what it would do is so already. */
interface CommandAnswer {
  readonly phase: string;
  readonly outcome: "done" | "held";
  readonly text: string;
}

/** Ways back name no generation and read nothing first: they must work when everything else is slow. */
const WAYS_BACK: readonly Command[] = ["abort", "rollback"];

/**
 * `sluice promote|pause|resume|abort|rollback ROLLOUT`. One action for one generation, however often it is repeated: a
 * command whose end state holds already ends with 0 and says so.
 */
export async function command(
  verb: Command,
  rolloutId: string,
  options: CommandOptions,
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const { full, despite, reason } = options;
  const generation = WAYS_BACK.includes(verb) ? {} : { generation: (await client.status(rolloutId)).generation };
  const path = `/v1/rollouts/${encodeURIComponent(rolloutId)}/${verb}`;
  const answer = await client.post<CommandAnswer>(path, { full, despite, reason, ...generation });
  const { outcome, phase, text } = answer;
  if (options.json) terminal.data(JSON.stringify({ id: rolloutId, phase, outcome, text }));
  else terminal.say(outcome === "held" ? `nothing to do: ${rolloutId} ${text}` : `${rolloutId}: ${text}`);
  if (!options.json && outcome === "done" && WAYS_BACK.includes(verb))
    terminal.say(`watch it with: sluice watch ${rolloutId}`);
  return EXIT.ok;
}
