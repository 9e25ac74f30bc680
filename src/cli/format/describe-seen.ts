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

/** The same as three lines, each over all shares: what is asked of a plan is where a number begins to suffice. */
export function describeSeen(total: number | null, seen: readonly SeenByUsers[] | null): readonly string[] {
  if (total === null || seen === null || seen.length === 0) return [];
  const at = (text: (one: SeenByUsers) => string, of = seen): string => {
    return of.map((one) => `${text(one)} at ${one.candidateBp / 100} %`).join(", ");
  };
  const enough = seen.filter(({ failing }) => failing !== null);
  const tooFew = seen.filter(({ failing }) => failing === null).map(({ candidateBp }) => `${candidateBp / 100} %`);
  const stops =
    enough.length === 0 ? [] : [`who fail, with none on stable, stop it: ${at((one) => `${one.failing}`, enough)}`];
  const waits =
    tooFew.length === 0
      ? []
      : [
          `too few to stop it by their first failures at ${tooFew.join(", ")}: those seen on stable before tell, or the share is held`,
        ];
  return [
    `of ${total} (--users) on the candidate: ${at(({ users }) => (users === 0 ? "nobody" : String(users)))}`,
    ...stops,
    ...waits,
    `a harm to fewer than this part of all may meet none of them, and stay unseen: ${at(({ leastPart }) => `${Number((leastPart * 100).toPrecision(2))} %`)}`,
  ];
}
