import type { ControllerClient } from "../controller-client.ts";
import type { ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";
import { applyBody, type ApplyOptions, documentIfThere, tellApplied } from "./apply.ts";

/**
 * `sluice retry ROLLOUT|FILE`: a new generation of an unchanged rollout that has ended. A running one is refused, and
 * so is a file that changed meanwhile: that one is applied.
 */
export async function retry(
  target: string,
  options: ApplyOptions,
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const read = await documentIfThere(target);
  const id = read?.document.metadata.name ?? target;
  const body = read === null ? {} : await applyBody(read);
  const answer = await client.post("/v1/rollouts/{id}/retry", { id }, body, read ?? undefined);
  return tellApplied(answer, options, client, terminal);
}
