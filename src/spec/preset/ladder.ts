import type { Stage } from "../../core/stage/plan.ts";
import { bp } from "../../core/unit.ts";

export const MINUTE_MS = 60_000;
const CAP_MS = 8 * 60 * MINUTE_MS;

/** A share of users, held at least `holdMs`, waiting for a person after the cap of 8 hours. */
export function share(percent: number, holdMs: number, capMs = CAP_MS): Stage {
  return { kind: "traffic", candidateBp: bp(percent * 100), holdMs, capMs, onCap: "wait" };
}

/** 100 %, watched. */
export function watched(holdMs: number): Stage {
  return { kind: "watch", holdMs };
}
