import type { ConsumerProgress, QueuePositions } from "../../../ports/queue.ts";

/** An entry's id: milliseconds and a number among those of one millisecond, both of 64 bits. */
type EntryId = readonly [ms: bigint, sequence: bigint];

const SEQUENCE_MAX = 2n ** 64n - 1n;
const FIRST = "0-0";

function parse(id: string): EntryId {
  const [ms = "", sequence = "0"] = id.split("-");
  return [BigInt(ms), BigInt(sequence)];
}

/** Negative when `a` is before `b`, 0 when they are the same. */
export function compareIds(a: string, b: string): number {
  const [[aMs, aSequence], [bMs, bSequence]] = [parse(a), parse(b)];
  if (aMs !== bMs) return aMs < bMs ? -1 : 1;
  return aSequence === bSequence ? 0 : aSequence < bSequence ? -1 : 1;
}

/** The id just before; no entry can lie between the two. */
export function idBefore(id: string): string {
  const [ms, sequence] = parse(id);
  if (sequence > 0n) return `${ms}-${sequence - 1n}`;
  return ms === 0n ? FIRST : `${ms - 1n}-${SEQUENCE_MAX}`;
}

/** A stream is one partition. */
export const positionsOf = (id: string): QueuePositions => ({ "0": id });
export const idOf = (positions: QueuePositions): string => positions["0"] ?? FIRST;

/** What the script for progress returns, in its order. */
export interface GroupFacts {
  readonly delivered: string;
  /** Empty: none. */
  readonly firstPending: string;
  readonly last: string;
  /** Empty: the stream has no entry. */
  readonly firstKept: string;
  readonly lastDeleted: string;
  readonly pending: number;
  readonly kept: number;
  readonly added: number;
  /** Entries up to `delivered`, those deleted meanwhile included; null: Redis cannot say. */
  readonly read: number | null;
  readonly hasMore: boolean;
}

/** What a group has done, by arithmetic on facts whose number does not grow with the stream. */
export function progressFrom(facts: GroupFacts): ConsumerProgress {
  const { delivered, firstPending, last, pending, hasMore } = facts;
  const isAhead = !hasMore && compareIds(last, delivered) > 0; // What followed was deleted unread.
  const settled = pending > 0 ? idBefore(firstPending) : isAhead ? last : delivered;
  return { settled: positionsOf(settled), inFlight: pending, waiting: waitingOf(facts) };
}

function waitingOf({ delivered, firstKept, lastDeleted, kept, added, read, hasMore }: GroupFacts): number | null {
  if (!hasMore) return 0;
  if (compareIds(delivered, firstKept) < 0) return kept;
  const isWhole = compareIds(lastDeleted, delivered) <= 0; // Nothing was taken out of what follows.
  return isWhole && read !== null ? added - read : null;
}
