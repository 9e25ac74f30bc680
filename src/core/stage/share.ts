import { BP_ALL, BP_NONE, type Bp } from "../unit.ts";
import type { Stage } from "./plan.ts";

/** The candidate's share at a stage, none while it answers copies; null for a stage that publishes nothing. */
export function shareOf(stage: Stage): Bp | null {
  if (stage.kind === "probes") return null;
  if (stage.kind === "shadow") return BP_NONE;
  return stage.kind === "watch" ? BP_ALL : stage.candidateBp;
}

/** Least time in ms that a stage's share is held; 0 where none is. */
export function holdMsOf(stage: Stage): number {
  return stage.kind === "probes" ? 0 : stage.holdMs;
}

const LEAST_WAIT_MS = 60_000;

/** How long 100 % is held at most when nobody's answer is heard of, before a person is asked: its hold twice. */
export function unheardCapMs(holdMs: number): number {
  return holdMs + Math.max(holdMs, LEAST_WAIT_MS);
}
