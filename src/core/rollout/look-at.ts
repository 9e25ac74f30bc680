import { lookAtAfter } from "../judge/gates.ts";
import type { Cause } from "./rollout.ts";

/** Where to look first after a stop: what the gate advises, or what is known where no gate decided. */
export function lookAtOf(cause: Pick<Cause, "verdict" | "lookAt"> | null): string | null {
  return cause === null ? null : (cause.lookAt ?? lookAtAfter(cause.verdict));
}
