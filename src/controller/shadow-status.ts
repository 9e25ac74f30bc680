import type { Status } from "../contract/status.ts";
import type { TrafficTotals } from "../core/observe/observations.ts";
import type { Rollout } from "../core/rollout/rollout.ts";
import { countPairs, EMPTY_SHADOW, SHADOW_LEFT, type ShadowWindow } from "../core/window/shadow-window.ts";
import { countBins, quantileOf } from "../core/window/sketch.ts";

/** What no number of copies can tell, whatever they show. */
const NOT_KNOWN = [
  "whether answers are right: copies are counted and thrown away; probes ask that",
  "how the candidate carries all users: it has the copies alone, and caches that only they fill",
  "writes, dialogs over several requests, and whatever needs a header that copies leave behind",
] as const;

const P95 = 0.95;

/** What copies showed, on the wire; null for a rollout without a shadow. */
export function shadowWire(
  { plan, stageIndex, splitOrdered }: Pick<Rollout, "plan" | "stageIndex" | "splitOrdered">,
  { shadow, requests }: TrafficTotals,
): Status["shadow"] {
  const order = plan.shadow;
  const isBegun = splitOrdered && stageIndex >= plan.stages.findIndex(({ kind }) => kind === "shadow");
  if (order === undefined) return null;
  const seen = shadow ?? EMPTY_SHADOW;
  const { pairs, warm, left } = seen;
  return {
    share_bp: order.shareBp,
    chosen: seen.chosen,
    pairs: {
      both_ok: pairs.bothOk,
      stable_failed: pairs.stableFailed,
      candidate_failed: pairs.candidateFailed,
      both_failed: pairs.bothFailed,
    },
    other_status: seen.otherStatus,
    classes: seen.classes,
    timed: countBins(warm.candidate),
    p95_ms: { stable: quantileOf(warm.stable, P95), candidate: quantileOf(warm.candidate, P95) },
    left,
    says: isBegun ? described(seen, requests.stable) : "never begun: the rollout did not get to its shadow stage",
    not_known: NOT_KNOWN,
  };
}

function described({ chosen, pairs, warm, left, otherStatus }: ShadowWindow, requests: number): string {
  const found = countPairs(pairs);
  if (chosen === 0 && requests === 0) return "no request came yet, so none was copied";
  if (chosen === 0)
    return `no request was copied of ${requests}: none yet had a method and path of the order, or no gateway took them`;
  const lost = SHADOW_LEFT.filter((why) => left[why] > 0).map((why) => `${left[why]} ${why}`);
  const without = lost.length === 0 ? "" : `; no pair of ${lost.join(", ")}`;
  if (found === 0) return `${chosen} requests were chosen and no pair is complete yet${without}`;
  const [stable, candidate] = [quantileOf(warm.stable, P95), quantileOf(warm.candidate, P95)];
  const times =
    stable === null || candidate === null ? "" : `; p95 ${candidate.toFixed(0)} ms against ${stable.toFixed(0)} ms`;
  const other = otherStatus === 0 ? "" : `; ${otherStatus} with another status`;
  return `${found} pairs: ${pairs.candidateFailed} failed on the candidate alone, ${pairs.stableFailed} on stable alone, ${pairs.bothFailed} on both${other}${times}${without}`;
}
