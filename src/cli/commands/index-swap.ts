import { printableLine } from "../../core/printable.ts";
import { readBack, readingText } from "../../controller/orders/index-read-back.ts";
import { systemClock } from "../../host/system-clock.ts";
import type { AliasTarget } from "../../ports/index-alias.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";
import {
  type Expected,
  judgeReplacement,
  sayVerdicts,
  type StoreOptions,
  type StoreTalk,
  targetOf,
  withStore,
} from "./index-store.ts";

interface Moving extends StoreOptions {
  readonly alias: string;
  /** Null: one more than the name was moved by. */
  readonly epoch: number | null;
  readonly withinMs: number;
}

export interface SwapOptions extends Moving, Expected {
  readonly to: string;
  /** Null: whatever it points to now. */
  readonly from: string | null;
  /** The name is not there yet and is made. */
  readonly create: boolean;
}

export interface RollbackOptions extends Moving {
  /** Null: the index it pointed to before. */
  readonly to: string | null;
}

/** Flips, and reads back through the name until several readings in a row carry the stamp of `to`. */
async function move(
  { alias, epoch, withinMs, json }: Moving,
  found: AliasTarget | null,
  [from, to]: readonly [string | null, string],
  { aliases, signal }: StoreTalk,
  terminal: Terminal,
): Promise<ExitCode> {
  const flip = { alias, from, to, epoch: epoch ?? (found?.epoch ?? 0) + 1 };
  const result = await aliases.flip(flip, signal);
  if (result.kind === "refused") throw new CliError(EXIT.conflict, `nothing was moved: ${result.why}`);
  const indexHash = (await aliases.describe(to, signal))?.stamp?.indexHash ?? null;
  const tell = (isConfirmed: boolean) => {
    if (json)
      terminal.data(
        JSON.stringify({ alias, from, to, index_hash: indexHash, epoch: flip.epoch, read_back: isConfirmed }),
      );
  };
  if (indexHash === null) {
    tell(false);
    terminal.say(`${alias} was moved to ${to}, which carries no stamp: nobody can tell what its readers meet`);
    return EXIT.waiting;
  }
  const expected = { alias, index: to, indexHash };
  const reading = await readBack(aliases, expected, withinMs, systemClock(), signal);
  tell(reading.isConfirmed);
  if (!reading.isConfirmed) {
    terminal.say(`${alias} was moved, and that was not read back in time: ${readingText(expected, reading)}`);
    return EXIT.timeout;
  }
  if (!json) terminal.data(`${alias}  ${from ?? "nothing"} -> ${to}  ${indexHash}  (read back through ${alias})`);
  return EXIT.ok;
}

/** `sluice index swap`: the name is moved to an index that may replace the one before; that one stays as it is. */
export async function indexSwap(options: SwapOptions, terminal: Terminal): Promise<ExitCode> {
  const { alias, to, create } = options;
  return withStore(options, async (talk) => {
    const found = create ? await talk.aliases.readAlias(alias, talk.signal) : await targetOf(alias, talk);
    const from = options.from ?? found?.index ?? null;
    if (from === to) {
      terminal.say(`${printableLine(alias)} points to ${printableLine(to)} already`);
    } else {
      const code = sayVerdicts(await judgeReplacement(from, to, options, talk), terminal);
      if (code !== EXIT.ok)
        throw new CliError(code, `nothing was moved: ${printableLine(to)} may not replace ${from ?? "nothing"}`);
    }
    return move(options, found, [from, to], talk, terminal);
  });
}

/** `sluice index rollback`: the name is moved back, at once. What is known of that index was known when it served. */
export async function indexRollback(options: RollbackOptions, terminal: Terminal): Promise<ExitCode> {
  return withStore(options, async (talk) => {
    const found = await targetOf(options.alias, talk);
    const to = options.to ?? found.previous;
    if (to === null) {
      const why = `the store does not know where ${printableLine(options.alias)} pointed before`;
      throw new CliError(EXIT.badUsage, `${why}; say it with --to`);
    }
    return move(options, found, [found.index, to], talk, terminal);
  });
}
