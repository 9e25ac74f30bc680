import { assert } from "../assert.ts";

/** Newest command a resource has accepted in one scope. Stored durably with the effect, in the same transaction. */
export interface SeenCommand {
  readonly epoch: number;
  readonly seq: number;
}

export const NOTHING_SEEN: SeenCommand = { epoch: 0, seq: 0 };

export type CommandAdmission =
  | { readonly kind: "accepted"; readonly seen: SeenCommand }
  /** From a holder that was replaced: refuse and audit (I8, S14). */
  | { readonly kind: "stale"; readonly seen: SeenCommand }
  /** Accepted before: answer what was answered then. */
  | { readonly kind: "repeated"; readonly seen: SeenCommand }
  /** A command before it is missing: ask the holder to send from `seen.seq + 1`. */
  | { readonly kind: "gap"; readonly seen: SeenCommand };

/**
 * May a resource act on a command? Epochs never fall; within an epoch sequence numbers are 1, 2, 3, ….
 * @source reliability.md, Leases and fencing
 */
export function admitCommand(seen: SeenCommand, command: SeenCommand): CommandAdmission {
  const { epoch, seq } = command;
  assert(Number.isSafeInteger(epoch) && epoch >= 1, `an epoch is an integer >= 1: ${epoch}`);
  assert(Number.isSafeInteger(seq) && seq >= 1, `a sequence number is an integer >= 1: ${seq}`);
  if (epoch < seen.epoch) return { kind: "stale", seen };
  const last = epoch === seen.epoch ? seen.seq : 0;
  if (seq <= last) return { kind: "repeated", seen };
  return seq === last + 1 ? { kind: "accepted", seen: command } : { kind: "gap", seen };
}
