import type { SegmentAnswer, UnitAnswer } from "../../contract/rollouts.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

export interface UnitOptions {
  readonly json: boolean;
  readonly rollout: string;
  /** The id is a value of this segment; absent: it is a user's. */
  readonly segment?: string;
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

function servedBy({ arm, reason, candidate_from_bp: fromBp }: UnitAnswer): string {
  const moves = `drawn to the candidate from ${fromBp / 100} % on`;
  if (arm === null) return `another process orders the service's traffic now; ${moves}`;
  return `served by ${arm} (${reason}), ${moves}`;
}

function seenBy({ seen, is_complete: isComplete }: UnitAnswer): readonly string[] {
  if (seen === null) {
    const perhaps = "not among the users that are kept: it may have come and not be kept";
    return [isComplete ? "not seen since this try began" : perhaps];
  }
  return (["stable", "candidate"] as const).map((arm) => {
    const { requests, failures } = seen[arm];
    return `${failures} of ${requests} requests failed on ${arm}`;
  });
}

/** `sluice unit ID --rollout R`: turns an id you know into the name that messages print, and says what is known. */
export async function unit(
  id: string,
  { json, rollout, segment }: UnitOptions,
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const body = { unit: id, segment: segment ?? null };
  const answer = await client.post("/v1/rollouts/{id}/unit", { id: rollout }, body);
  if (json) terminal.data(JSON.stringify(answer));
  else for (const line of "segment" in answer ? segmentLines(answer) : unitLines(answer)) terminal.data(line);
  return EXIT.ok;
}

function unitLines(answer: UnitAnswer): readonly string[] {
  const of = `in rollout ${answer.id}, generation ${answer.generation}`;
  return [`${answer.unit}  ${of}`, `  ${servedBy(answer)}`, ...seenBy(answer).map((line) => `  ${line}`)];
}

function segmentLines({ id, generation, segment, harmed }: SegmentAnswer): readonly string[] {
  const rates = harmed === null ? null : `${percent(harmed.candidate)} against ${percent(harmed.stable)} on stable`;
  const found = rates === null ? "nothing shows that it fails more on the candidate" : `fails ${rates}`;
  return [`${segment}  in rollout ${id}, generation ${generation}`, `  ${found}`];
}
