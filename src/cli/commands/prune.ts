import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

/** `sluice prune`: removes rollouts that ended long ago, with their journals and reports. */
export async function prune(
  options: { json: boolean; olderThan: number; keep: number; dryRun: boolean },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const { olderThan, keep, dryRun } = options;
  const body = { older_than_ms: olderThan, keep, ...(dryRun ? { dry_run: true } : {}) };
  const answer = await client.post("/v1/prune", {}, body);
  if (options.json) {
    terminal.data(JSON.stringify(answer));
    return EXIT.ok;
  }
  for (const { id, service, phase, ended_at: endedAt } of answer.removed)
    terminal.data(`${id}  ${service}  ${phase} ${new Date(endedAt).toISOString().slice(0, 19)}Z`);
  const count = answer.removed.length;
  const rollouts = count === 1 ? "1 ended rollout" : `${count} ended rollouts`;
  if (count === 0) terminal.say("nothing to remove: no ended rollout is that old, or a service still needs it");
  else if (dryRun) terminal.say(`${rollouts} would be removed with journals and reports; nothing was changed`);
  else terminal.say(`${rollouts} removed with journals and reports; their generations are not given again`);
  return EXIT.ok;
}
