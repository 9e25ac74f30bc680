import { DriverError } from "../../ports/driver-error.ts";
import type { AliasFlip, AliasTarget, FlipResult } from "../../ports/index-alias.ts";

/** What is kept of one public name by whoever keeps epochs. */
export interface AliasRecord extends AliasTarget {
  readonly epoch: number;
}

/** What a flip comes to by what is kept now: an answer, or the record that replaces it. */
type Decision =
  | { readonly kind: "answer"; readonly result: FlipResult }
  | { readonly kind: "write"; readonly next: AliasRecord };

/** A flip that moved nothing. */
export function refused(found: AliasTarget | null, why: string): FlipResult {
  return { kind: "refused", found, why };
}

/** Why a name that points to `found` is not what a flip expects; null when it is. */
export function notFrom({ alias, from }: AliasFlip, found: AliasTarget | null): string | null {
  if (from === (found?.index ?? null)) return null;
  const now = found === null ? `there is no name ${alias}` : `${alias} points to ${found.index}`;
  return `${now}, expected ${from === null ? "none yet" : from}; read it again and decide anew`;
}

/**
 * The one rule of all stores that keep epochs. A lower epoch is refused; an equal one is only for the flip that has it,
 * told by its target; a higher one moves the name if it still points to `from`. A name that is at its target already is
 * moved, and keeps the higher epoch, so that nothing older comes after.
 */
export function decideFlip(found: AliasRecord | null, flip: AliasFlip): Decision {
  const { alias, to, epoch } = flip;
  const answer = (result: FlipResult): Decision => ({ kind: "answer", result });
  if (found !== null && epoch < found.epoch) {
    return answer(
      refused(found, `epoch ${epoch} is over: ${alias} was moved to ${found.index} by epoch ${found.epoch}`),
    );
  }
  if (found?.index === to) {
    if (found.epoch === epoch) return answer({ kind: "moved" });
    return { kind: "write", next: { ...found, epoch } };
  }
  if (found !== null && epoch === found.epoch) {
    return answer(refused(found, `epoch ${epoch} has moved ${alias} to ${found.index} already; take a higher one`));
  }
  const why = notFrom(flip, found);
  if (why !== null) return answer(refused(found, why));
  return { kind: "write", next: { index: to, epoch, previous: found?.index ?? null } };
}

/** Where records of names are kept, one writer at a time. */
export interface AliasRecords {
  read(alias: string, signal: AbortSignal): Promise<AliasRecord | null>;
  /** Compare-and-set: replaces exactly the record that was read. False when it is another one by now. */
  replace(alias: string, read: AliasRecord | null, next: AliasRecord, signal: AbortSignal): Promise<boolean>;
  hasIndex(index: string, signal: AbortSignal): Promise<boolean>;
}

/** Each round is lost to a writer that moved the name; a name that is moved so often has other troubles. */
const ROUNDS_MAX = 20;

/** Moves a name by its record: decided by the rule, written by compare-and-set, decided anew when that is lost. */
export async function flipRecord(records: AliasRecords, flip: AliasFlip, signal: AbortSignal): Promise<FlipResult> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const found = await records.read(flip.alias, signal);
    const decided = decideFlip(found, flip);
    if (decided.kind === "answer") return decided.result;
    if (!(await records.hasIndex(flip.to, signal)))
      return refused(found, `there is no index ${flip.to}; build it first`);
    if (await records.replace(flip.alias, found, decided.next, signal)) return { kind: "moved" };
  }
  const found = `${flip.alias} was moved by others ${ROUNDS_MAX} times while it was to be moved`;
  throw new DriverError("unreachable", "safe", `${found}; see who does that, then try again`);
}
