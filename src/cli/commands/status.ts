import { printableLine } from "../../core/printable.ts";
import type { Status } from "../../contract/status.ts";
import { CliError } from "../cli-error.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { cutoverLine, findCutover, sayCutover, unlessUnknown } from "./cutover.ts";
import type { Terminal } from "../terminal.ts";

function statusLines(status: Status, terminal: Terminal): readonly string[] {
  const { stage, share, traffic } = status;
  const measured =
    share.requests_bp === null ? "no traffic yet" : `${share.requests_bp / 100} % of the requests since it began`;
  return [
    `${terminal.paint("strong", status.id)}  generation ${status.generation}  service ${status.service}`,
    `  phase   ${status.phase}${status.paused ? " (paused)" : ""}${status.frozen ? " (frozen)" : ""}`,
    `  stage   ${stage.index} (the last is ${stage.count - 1}${status.pace == null ? "" : "; shares between may be passed over"}): ${stage.name}`,
    `  share   ${share.ordered_bp / 100} % of units ordered, ${measured}`,
    `  traffic ${traffic.requests.stable} stable, ${traffic.requests.candidate} candidate${usersMet(status)}`,
    ...(status.shadow == null
      ? []
      : [`  shadow  ${status.shadow.says}`, ...status.shadow.not_known.map((text) => `          not known: ${text}`)]),
    ...status.verdicts.map(({ gate, verdict, reason }) => `  ${verdict.padEnd(13)} ${gate}: ${reason}`),
    ...unwatchedLines(status),
    ...(status.pace == null ? [] : [`  pace    ${status.pace.text}`]),
    ...(status.cause === null ? [] : [`  cause   ${status.cause.text}`]),
    ...(status.cause?.look_at == null ? [] : [`  look at ${status.cause.look_at}`]),
    ...unsignedLines(status),
    `  next    ${status.next}`,
  ];
}

/** Absent from a controller of the version before, and nothing where no request names its user. */
function usersMet({ traffic: { units_met: met = null } }: Status): string {
  return met === null || met.candidate === 0 ? "" : ` (of ${met.candidate} users)`;
}

/** Absent from a controller of the version before. */
function unwatchedLines({ not_watched: gates = [] }: Partial<Status>): readonly string[] {
  return gates.length === 0 ? [] : [`  not watched   ${gates.join(", ")}: nobody tells of it, so it decides nothing`];
}

/** Whoever stands between such a gateway and its controller can order its traffic: that is said wherever one looks. */
function unsignedLines({ gateways }: Status): readonly string[] {
  const ids = gateways?.accept_unsigned ?? [];
  return ids.length === 0 ? [] : [`  WARNING accepts documents that nobody signed: ${ids.join(", ")}`];
}

/** A cause without a gate is a sentence of any length; the list has a line for each rollout. */
const WHY_MAX = 60;

function shortened(text: string): string {
  return text.length <= WHY_MAX ? text : `${text.slice(0, WHY_MAX - 1).trimEnd()}…`;
}

/** One rollout on one line: where it stands and how much it has. */
function listLine({ id, generation, service, phase, paused, stage, share, cause }: Status, terminal: Terminal): string {
  const why = cause === null ? "" : `  ${cause.gate ?? shortened(cause.text)}`;
  const at = `${stage.index}/${stage.count - 1}: ${stage.name}`;
  const state = `${phase}${paused ? " (paused)" : ""}`;
  return `${terminal.paint("strong", id.padEnd(24))} ${`#${generation}`.padEnd(4)} ${service.padEnd(16)} ${state.padEnd(16)} ${at.padEnd(14)} ${share.ordered_bp / 100} %${why}`;
}

/** The refusal that names what is known. */
async function unknownName(name: string, client: Pick<ControllerClient, "status">): Promise<never> {
  await client.status(name);
  throw new CliError(EXIT.badUsage, `no rollout and no cutover "${name}"`);
}

/** `sluice status [NAME]`: one rollout in full, or one line of each, running ones first. */
export async function status(
  rolloutId: string | null,
  options: { json: boolean },
  client: Pick<ControllerClient, "get" | "status">,
  terminal: Terminal,
): Promise<ExitCode> {
  if (rolloutId !== null) {
    const one = await unlessUnknown(client.status(rolloutId));
    const cutover = one === null ? await findCutover(rolloutId, client) : null;
    if (cutover !== null) sayCutover(cutover, options.json, terminal);
    if (one === null) return cutover === null ? unknownName(rolloutId, client) : EXIT.ok;
    if (options.json) terminal.data(JSON.stringify(one));
    else for (const line of statusLines(one, terminal)) terminal.data(printableLine(line));
    return EXIT.ok;
  }
  const { rollouts } = await client.get("/v1/rollouts", {});
  const { cutovers = [] } = (await unlessUnknown(client.get("/v1/cutovers", {}))) ?? {};
  if (options.json) terminal.data(JSON.stringify({ rollouts, cutovers }));
  else if (rollouts.length + cutovers.length === 0) terminal.say("no rollout yet; begin one with: sluice apply FILE");
  else for (const one of rollouts) terminal.data(printableLine(listLine(one, terminal)));
  if (!options.json) for (const one of cutovers) terminal.data(printableLine(cutoverLine(one, terminal)));
  return EXIT.ok;
}
