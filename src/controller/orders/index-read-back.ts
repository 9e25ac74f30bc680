import type { Clock } from "../../ports/clock.ts";
import type { AliasTarget, IndexAliases } from "../../ports/index-alias.ts";

/** One reading may come from the one replica that knows already. */
const READS_IN_A_ROW = 3;
const READ_EVERY_MS = 100;

/** What readers must meet through a public name. */
export interface ExpectedReading {
  readonly alias: string;
  readonly index: string;
  /** INDEX_HASH of that index. */
  readonly indexHash: string;
}

/** What was read last through a name. */
export interface Reading {
  readonly isConfirmed: boolean;
  readonly target: AliasTarget | null;
  readonly hashes: readonly (string | null)[];
}

async function readOnce(aliases: IndexAliases, expected: ExpectedReading, signal: AbortSignal): Promise<Reading> {
  const { alias, index, indexHash } = expected;
  const [target, hashes] = [await aliases.readAlias(alias, signal), await aliases.readThrough(alias, signal)];
  const isConfirmed = target?.index === index && hashes.length > 0 && hashes.every((hash) => hash === indexHash);
  return { isConfirmed, target, hashes };
}

/**
 * Reads through the public name until several readings in a row, of every replica that can be asked, carry the stamp of
 * the index, or `withinMs` are over. Where it says confirmed, the last readings all were.
 */
export async function readBack(
  aliases: IndexAliases,
  expected: ExpectedReading,
  withinMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Reading> {
  const deadline = clock.monoMs() + withinMs;
  for (let inARow = 0; ; ) {
    const reading = await readOnce(aliases, expected, signal);
    inARow = reading.isConfirmed ? inARow + 1 : 0;
    if (inARow === READS_IN_A_ROW) return reading;
    if (clock.monoMs() >= deadline) return { ...reading, isConfirmed: false };
    await clock.sleep(READ_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}

/** Why a reading is no confirmation. */
export function readingText({ alias, index, indexHash }: ExpectedReading, { target, hashes }: Reading): string {
  const named = target === null ? `there is no name ${alias}` : `${alias} points to ${target.index}`;
  const read = hashes.length === 0 ? "nothing" : hashes.map((hash) => hash ?? "no stamp").join(", ");
  return `${named}, and through it was read ${read}; expected ${index} with ${indexHash} several times in a row`;
}
