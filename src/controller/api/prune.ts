import { z } from "zod";
import { type PruneAnswer, pruneBody } from "../../contract/rollouts.ts";
import type { EpochMs } from "../../core/unit.ts";
import type { Phase } from "../../core/rollout/rollout.ts";
import type { Controller } from "../controller.ts";
import type { Mutation } from "./operator-mutation.ts";
import { problemResponse } from "./problem.ts";

/** A removed rollout on the wire. */
interface Removed {
  readonly rolloutId: string;
  readonly service: string;
  readonly generation: number;
  readonly phase: Phase;
  readonly endedAt: EpochMs;
}

function wire({ rolloutId: id, service, generation, phase, endedAt }: Removed): PruneAnswer["removed"][number] {
  return { id, service, generation, phase, ended_at: endedAt };
}

/** `POST /v1/prune`: removes rollouts that ended long ago, with their journals and reports; says which. */
export async function postPrune(mutation: Mutation, { pruning }: Controller): Promise<Response> {
  const parsed = pruneBody.safeParse(mutation.json());
  if (!parsed.success) return problemResponse("bad-request", z.prettifyError(parsed.error));
  const { older_than_ms: olderThanMs, keep, dry_run: isDry = false } = parsed.data;
  if (isDry) {
    const named = await pruning.plan({ olderThanMs, keep });
    return Response.json({ outcome: "would-remove", removed: named.map(wire) } satisfies PruneAnswer);
  }
  const answer = (removed: readonly Removed[]): PruneAnswer => ({ outcome: "removed", removed: removed.map(wire) });
  const order = { olderThanMs, keep, by: mutation.operator };
  const removed = await pruning.prune(order, (left) => mutation.answer(200, answer(left)));
  return Response.json(answer(removed));
}
