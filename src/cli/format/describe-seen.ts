import { type SeenByUsers, seenByUsers } from "../../core/by-unit/seen-by-users.ts";
import { errorRate } from "../../core/judge/errors/error-rate.ts";
import type { RolloutPlan } from "../../core/stage/plan.ts";
import { type Bp, bp } from "../../core/unit.ts";
import type { PlanAnswer } from "../answer/plan-answer.ts";

const ALL = bp(10_000);

/** What a service's users can show at each share of a plan; null when nobody said how many it has. */
export function seenIn({ stages, gates }: RolloutPlan, users: number | null): readonly SeenByUsers[] | null {
  if (users === null) return null;
  const alpha = gates.find(({ gate }) => gate === errorRate.name)?.options["alpha"];
  const asked = typeof alpha === "number" ? alpha : errorRate.defaults["alpha"];
  const shares = new Set<Bp>(stages.flatMap((stage) => (stage.kind === "traffic" ? [stage.candidateBp] : [])));
  return [...shares].filter((share) => share < ALL).map((share) => seenByUsers(users, share, Number(asked)));
}

export function seenWire(seen: readonly SeenByUsers[] | null): PlanAnswer["seen_by_users"] {
  if (seen === null) return null;
  return seen.map(({ candidateBp, users, failing, leastPart }) => ({
    share: candidateBp / 10_000,
    users,
    failing_to_stop: failing,
    least_part: leastPart,
  }));
}

/** The same as lines. */
export function describeSeen(total: number | null, seen: readonly SeenByUsers[] | null): readonly string[] {
  if (total === null || seen === null) return [];
  return seen.map(({ candidateBp, users, failing, leastPart }) => {
    const stops =
      failing === null
        ? "too few to stop it by their first failures: those seen on stable before tell, or the share is held"
        : `${failing} who fail, with none on stable, stop it`;
    const part = Number((leastPart * 100).toPrecision(2));
    return `of ${total} (--users) ${users} are on the candidate at ${candidateBp / 100} %; ${stops}; harm to under ${part} % of all may meet none of them`;
  });
}
