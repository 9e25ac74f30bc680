import { EMPTY_ARM_WINDOW } from "../../window/window.ts";
import type { Block } from "../block.ts";
import { p95Gate } from "../latency/p95-gate.ts";

/** The times of both answers to the same requests, as if each arm had been asked by users. */
function timesOfPairs({ shadow, ...block }: Block): Block | null {
  if (shadow === undefined) return null;
  const { units: _, ...rest } = block; // Pairs cancel what users bring.
  const arm = (warm: (typeof shadow.warm)["stable"]) => ({ ...EMPTY_ARM_WINDOW, warm });
  return { ...rest, arms: { stable: arm(shadow.warm.stable), candidate: arm(shadow.warm.candidate) } };
}

/**
 * Times of the candidate on copies against stable's on the same requests. The candidate carries only the copies, so
 * that its own load is none of it; warm answers of both arms alone count, and none that waited for its client.
 */
export const shadowP95 = p95Gate({
  name: "shadow-p95",
  condition: "shadow_p95",
  says: "Is the candidate's p95 on copies of requests slower than stable's on the same ones?",
  unit: "ratio to stable's p95 on the same requests",
  from: "gateway, with `shadow`",
  means: "answers copies more slowly than stable answers the requests",
  counts: "pairs",
  comparedIn: timesOfPairs,
  compares: "warm answer to a copied request",
  needs: "copied requests that both arms answered warm",
});
