import type { Bp } from "../unit.ts";
import type { GateSetting } from "./gate.ts";

/** Whether a gate is asked at this share. */
export function isInForce({ within }: GateSetting, candidateBp: Bp): boolean {
  return within === undefined || (candidateBp >= within.fromBp && candidateBp <= within.toBp);
}

/** Whether a gate stays out of the decision until its first data arrive; otherwise it holds the stage. */
export function maySkip({ options }: GateSetting): boolean {
  return options["onNoData"] === "skip";
}
