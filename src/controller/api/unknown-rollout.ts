import type { Controller } from "../controller.ts";
import { problemResponse } from "./problem.ts";

/** Names that are listed with a name that is not known. */
const LISTED_MAX = 20;

/** What every endpoint answers about a rollout that is not known: which there are. */
export function unknownRollout(id: string, controller: Controller): Response {
  const known = controller.rollouts().map(({ rollout }) => rollout.plan.rolloutId);
  const more = known.length > LISTED_MAX ? `, and ${known.length - LISTED_MAX} more: sluice status` : "";
  const listed = known.slice(-LISTED_MAX).join(", ");
  return problemResponse("not-found", `no rollout "${id}"; known: ${listed || "none yet"}${more}`);
}
