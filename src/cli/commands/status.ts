import type { Status } from "../../controller/status.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

function statusLines(status: Status, terminal: Terminal): readonly string[] {
  const { stage, share, traffic } = status;
  const measured =
    share.requests_bp === null ? "no traffic yet" : `${share.requests_bp / 100} % of all requests so far`;
  return [
    `${terminal.paint("strong", status.id)}  generation ${status.generation}  service ${status.service}`,
    `  phase   ${status.phase}${status.paused ? " (paused)" : ""}${status.frozen ? " (frozen)" : ""}`,
    `  stage   ${stage.index + 1} of ${stage.count}: ${stage.name}`,
    `  share   ${share.ordered_bp / 100} % of units ordered, ${measured}`,
    `  traffic ${traffic.requests.stable} stable, ${traffic.requests.candidate} candidate (${traffic.units.candidate} units)`,
    ...status.verdicts.map(({ gate, verdict, reason }) => `  ${verdict.padEnd(13)} ${gate}: ${reason}`),
    ...(status.cause === null ? [] : [`  cause   ${status.cause.text}`]),
    `  next    ${status.next}`,
  ];
}

/** `sluice status [ROLLOUT]`: where one rollout stands, or all of them. */
export async function status(
  rolloutId: string | null,
  options: { json: boolean },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const all =
    rolloutId === null
      ? (await client.get<{ rollouts: Status[] }>("/v1/rollouts")).rollouts
      : [await client.status(rolloutId)];
  if (options.json) terminal.data(JSON.stringify(rolloutId === null ? { rollouts: all } : all[0]));
  else if (all.length === 0) terminal.say("no rollout yet; begin one with: sluice apply FILE");
  else for (const one of all) for (const line of statusLines(one, terminal)) terminal.data(line);
  return EXIT.ok;
}
