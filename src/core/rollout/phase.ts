/**
 * pending: accepted, not started · checking: identity of both arms is compared · probing: gold questions run ·
 * progressing: a share is being set or held · waiting: a person must decide · promoting: the candidate becomes stable ·
 * retreating: back to the previous stage's share · rolling-back: back to stable; and the five ends.
 */
export type Phase =
  | "pending"
  | "checking"
  | "probing"
  | "progressing"
  | "waiting"
  | "promoting"
  | "retreating"
  | "rolling-back"
  | "promoted"
  | "rolled-back"
  | "aborted"
  | "rollback-failed";

const FINAL_PHASES: readonly Phase[] = ["promoted", "rolled-back", "aborted", "rollback-failed"];

/** True when nothing more will happen by itself; `promoted` still accepts `rollback`. */
export function isFinal({ phase }: { readonly phase: Phase }): boolean {
  return FINAL_PHASES.includes(phase);
}

/** True once a way back to stable was decided: nobody is given the candidate any more, confirmed or not. */
export function isTakenBack({ phase }: { readonly phase: Phase }): boolean {
  return phase === "rolling-back" || (FINAL_PHASES.includes(phase) && phase !== "promoted");
}
