import type { RolloutPlan } from "../../core/stage/plan.ts";
import { formatDurationMs } from "../../spec/duration.ts";

/** How users are told apart, and what becomes of those who are not. */
export function describeUsers({ identity, sticky }: Pick<RolloutPlan, "identity" | "sticky">): readonly string[] {
  const { cookie, ttlMs } = sticky;
  const headers = identity.stickyBy.join(", else ");
  if (cookie === undefined) {
    return [
      `a user is who ${headers} names; requests without it go to stable and are not counted in the split`,
      "the hash keeps every user on an arm for the whole rollout; a rising share moves users to the candidate only",
    ];
  }
  const who = headers === "" ? "a user is" : `a user is who ${headers} names, else`;
  return [
    `${who} a visitor with the signed cookie ${cookie}, for ${formatDurationMs(ttlMs)} and again while he comes back`,
    "a client that keeps no cookies is a new visitor at each request: the candidate answers him as often as its share says, and he does not stay on an arm; name a header for such clients",
  ];
}
