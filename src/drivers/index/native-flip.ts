import { DriverError } from "../../ports/driver-error.ts";
import type { AliasFlip, AliasTarget, FlipResult } from "../../ports/index-alias.ts";
import { type AliasRecord, type AliasRecords, decideFlip, notFrom, refused } from "./flip-rule.ts";

/** A store that keeps the public name itself, with a record of ours beside it that keeps the epoch. */
export interface NamedStore extends AliasRecords {
  /** The index that readers meet under the name. */
  target(alias: string, signal: AbortSignal): Promise<string | null>;
  /** Moves the name in one step. False: it was not at `from` any more, and nothing was moved. */
  move(alias: string, from: string | null, to: string, signal: AbortSignal): Promise<boolean>;
}

/** Of a name that no record of ours knows: every epoch is higher. */
const NO_EPOCH = -1;
const ROUNDS_MAX = 20;

/** What is known of a name: where readers are sent, by the store; epoch and the index before, by the record. */
export async function readNamed(store: NamedStore, alias: string, signal: AbortSignal): Promise<AliasTarget | null> {
  const [index, record] = [await store.target(alias, signal), await store.read(alias, signal)];
  if (index === null) return null;
  const isOurs = record?.index === index;
  return { index, epoch: record?.epoch ?? null, previous: isOurs ? record.previous : null };
}

/**
 * Moves a name in two steps: its record is claimed by compare-and-set, which one writer wins, then that one moves the
 * name. A writer that died between is followed by the same flip again, or by one of a higher epoch. One that stopped
 * between for longer may still move the name late, where the store itself compares nothing.
 */
export async function flipNamed(store: NamedStore, flip: AliasFlip, signal: AbortSignal): Promise<FlipResult> {
  const { alias, to, epoch } = flip;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const record = await store.read(alias, signal);
    const index = await store.target(alias, signal);
    const known = record?.epoch ?? NO_EPOCH;
    const found: AliasRecord | null =
      index === null ? null : { index, epoch: known, previous: record?.previous ?? null };
    const isClaimed = record !== null && known === epoch && record.index === to;
    if (!isClaimed) {
      if (epoch <= known && index === null) return refused(null, `epoch ${epoch} is over: ${alias} had ${known}`);
      const decided = decideFlip(found, flip);
      if (decided.kind === "answer") return decided.result;
      if (!(await store.hasIndex(to, signal))) return refused(found, `there is no index ${to}; build it first`);
      if (!(await store.replace(alias, record, decided.next, signal))) continue;
    }
    if (index === to) return { kind: "moved" };
    const why = notFrom(flip, found);
    if (why !== null) return refused(found, why);
    if (await store.move(alias, index, to, signal)) return { kind: "moved" };
  }
  const found = `${alias} was moved by others ${ROUNDS_MAX} times while it was to be moved`;
  throw new DriverError("unreachable", "safe", `${found}; see who does that, then try again`);
}
