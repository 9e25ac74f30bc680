import type { SegmentAnswer, UnitAnswer } from "../../contract/rollouts.ts";
import { CliError } from "../cli-error.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

export interface UnitOptions {
  readonly json: boolean;
  /** Null: the one that runs, or the last one of the only service. */
  readonly rollout: string | null;
  /** The id is a value of this segment; absent: it is a user's. */
  readonly segment?: string;
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** Where the next request goes: said of a user who came, and only foretold of one who was never seen. */
function servedBy({ arm, reason, candidate_from_bp: fromBp, service, in_force: inForce, seen }: UnitAnswer): string {
  const moves = `drawn to the candidate from ${fromBp / 100} % on`;
  if (arm !== null)
    return seen === null ? `a request would go to ${arm}, ${moves}` : `served by ${arm} (${reason}), ${moves}`;
  if (inForce === null) return `no split of ${service} was ever ordered, so nobody is on a candidate; ${moves}`;
  const whose = inForce.rollout === null ? "an operator" : `rollout ${inForce.rollout}`;
  return `the split of ${service} in force is that of ${whose}; in this rollout: ${moves}`;
}

const clock = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

/** Who came to a controller that was killed is not known, and no number says so by itself. */
function missingIn({ gaps }: UnitAnswer): readonly string[] {
  return gaps.map(
    ({ from, to }) =>
      `requests from ${clock(from)} to ${clock(to)} UTC may be missing: the controller was away before it had stored their users`,
  );
}

function seenBy({ seen, is_complete: isComplete, gaps }: UnitAnswer): readonly string[] {
  if (seen === null) {
    if (!isComplete) return ["not among the users that are kept: it may have come and not be kept"];
    return [gaps.length === 0 ? "never seen since this try began" : "not seen in what is known of this try"];
  }
  return (["stable", "candidate"] as const).map((arm) => {
    const { requests, failures } = seen[arm];
    return `${failures} of ${requests} requests failed on ${arm}`;
  });
}

/** The rollout that is meant where none is named: the only one that runs, or the last of the only service. */
async function meantRollout(client: Pick<ControllerClient, "get">): Promise<string> {
  const { rollouts } = await client.get("/v1/rollouts", {});
  const running = rollouts.filter(({ ended_at: endedAt }) => endedAt === null);
  const [last] = rollouts; // Running ones first, then the newest end first.
  if (last === undefined) throw new CliError(EXIT.badUsage, "no rollout was applied yet, so no user has a name");
  const services = new Set(rollouts.map(({ service }) => service));
  if (running.length === 1 || (running.length === 0 && services.size === 1)) return last.id;
  const which = running.length > 1 ? running : rollouts;
  const named = which.map(({ id, service, phase }) => `${id} (${service}, ${phase})`).join(", ");
  throw new CliError(EXIT.badUsage, `say which rollout with --rollout, because names differ between them: ${named}`);
}

/** `sluice unit ID [--rollout R]`: turns an id you know into the name that messages print, and says what is known. */
export async function unit(
  id: string,
  { json, rollout, segment }: UnitOptions,
  client: Pick<ControllerClient, "get" | "post">,
  terminal: Terminal,
): Promise<ExitCode> {
  const body = { unit: id, segment: segment ?? null };
  const answer = await client.post("/v1/rollouts/{id}/unit", { id: rollout ?? (await meantRollout(client)) }, body);
  if (json) terminal.data(JSON.stringify(answer));
  else for (const line of "segment" in answer ? segmentLines(answer) : unitLines(answer)) terminal.data(line);
  return EXIT.ok;
}

function unitLines(answer: UnitAnswer): readonly string[] {
  const of = `in rollout ${answer.id}, generation ${answer.generation}`;
  const known = [servedBy(answer), ...seenBy(answer), ...missingIn(answer)];
  return [`${answer.unit}  ${of}`, ...known.map((line) => `  ${line}`)];
}

function segmentLines({ id, generation, segment, harmed }: SegmentAnswer): readonly string[] {
  const rates = harmed === null ? null : `${percent(harmed.candidate)} against ${percent(harmed.stable)} on stable`;
  const found = rates === null ? "nothing shows that it fails more on the candidate" : `fails ${rates}`;
  return [`${segment}  in rollout ${id}, generation ${generation}`, `  ${found}`];
}
