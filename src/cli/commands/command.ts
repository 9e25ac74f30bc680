import type { Command } from "../../core/rollout/event.ts";
import { CliError } from "../cli-error.ts";
import { type ControllerClient, UNREACHABLE } from "../controller-client.ts";
import type { Status } from "../../contract/status.ts";
import { findCutover, goBack } from "./cutover.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

export interface CommandOptions {
  readonly json: boolean;
  readonly full: boolean;
  readonly despite: boolean;
  readonly reason: string;
}

/** Ways back name no generation and read nothing first: they must work when everything else is slow. */
const WAYS_BACK: readonly Command[] = ["abort", "rollback"];

/** A confirmed way back takes a second; what takes longer is worth a `watch`. */
const END_WAIT_MS = 3_000;
const END_LOOK_MS = 100;

/** How a way back ended, or null when that is not known within some seconds. Trouble in between is no answer either. */
async function endOf(rolloutId: string, client: Pick<ControllerClient, "status">): Promise<CommandEnd | null> {
  const over = AbortSignal.timeout(END_WAIT_MS); // Its timer keeps no process alive, as a status that hangs does.
  const isOver = new Promise<null>((resolve) => over.addEventListener("abort", () => resolve(null)));
  while (!over.aborted) {
    const status = await Promise.race([client.status(rolloutId).catch(() => null), isOver]);
    if (status === null) return null;
    if (status.ended_at !== null) return { phase: status.phase, text: endText(status) };
    await new Promise((resolve) => setTimeout(resolve, END_LOOK_MS));
  }
  return null;
}

/** What a rollout came to after a command, in words. */
interface CommandEnd {
  readonly phase: string;
  readonly text: string;
}

function endText({ phase, next }: Pick<Status, "phase" | "next">): string {
  return phase === "rollback-failed" ? `${phase}: ${next}` : `${phase}: confirmed, nobody is sent to the candidate`;
}

/** Commands somebody gives to keep users from harm: without a controller they need another way. */
const PROTECTING: readonly Command[] = ["abort", "rollback", "pause"];

/** The error of a command that found no controller, with what keeps users safe meanwhile; any other stays as it is. */
export function withoutController(verb: Command, error: unknown, dataDir: string): unknown {
  if (!(error instanceof CliError) || error.cause !== UNREACHABLE || !PROTECTING.includes(verb)) return error;
  const order = `sluice gateway stable --service NAME --data ${dataDir}`;
  const meanwhile =
    "connected gateways send everybody to stable within the lease (15 s unless the document says otherwise)";
  const message = `${error.message}\nwithout a controller: ${meanwhile}; at once, on the gateway's machine: ${order}`;
  return new CliError(error.exitCode, message, UNREACHABLE);
}

/** `sluice promote|pause|resume|abort|rollback NAME`; the ways back are those of a cutover too. */
export async function command(
  verb: Command,
  name: string,
  options: CommandOptions,
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  try {
    return await commandRollout(verb, name, options, client, terminal);
  } catch (error) {
    const isUnknown = error instanceof CliError && error.cause === "not-found";
    if (!isUnknown || (await findCutover(name, client)) === null) throw error;
    if (WAYS_BACK.includes(verb)) return goBack(name, options, client, terminal);
    const advice = `its ways are: sluice status ${name}, sluice watch ${name}, sluice rollback ${name}`;
    throw new CliError(EXIT.badUsage, `${name} is a cutover, which nobody can ${verb}; ${advice}`);
  }
}

/** * One action for one generation, however often it is repeated: a
 * command whose end state holds already ends with 0 and says so.
 */
async function commandRollout(
  verb: Command,
  rolloutId: string,
  options: CommandOptions,
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const { full, despite, reason } = options;
  const generation = WAYS_BACK.includes(verb) ? {} : { generation: (await client.status(rolloutId)).generation };
  const body = { full, despite, reason, ...generation };
  const answer = await client.post(`/v1/rollouts/{id}/${verb}`, { id: rolloutId }, body);
  const { outcome, phase, text } = answer;
  const isWayBack = outcome === "done" && WAYS_BACK.includes(verb);
  const end = isWayBack ? await endOf(rolloutId, client) : null;
  if (options.json) {
    terminal.data(JSON.stringify({ id: rolloutId, phase, outcome, text, ...(isWayBack ? { end } : {}) }));
    return EXIT.ok;
  }
  if (outcome === "held") terminal.say(`nothing to do: ${rolloutId} ${text}`);
  else terminal.say(`${rolloutId}: ${end === null || phase === end.phase ? text : end.text}`);
  if (isWayBack && end === null) terminal.say(`watch it with: sluice watch ${rolloutId}`);
  return EXIT.ok;
}
