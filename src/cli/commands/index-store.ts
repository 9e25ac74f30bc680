import { printableLine } from "../../core/printable.ts";
import type { IndexFacts } from "../../core/release/index-facts.ts";
import { expectationOf, judgeIndex } from "../../core/release/index-check.ts";
import { overall, type Verdict } from "../../core/verdict.ts";
import { openIndex } from "../../host/index-drivers.ts";
import { systemClock } from "../../host/system-clock.ts";
import type { AliasTarget, IndexAliases } from "../../ports/index-alias.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

/** Where a store is, as every command about indexes is told. */
export interface StoreOptions {
  readonly json: boolean;
  readonly driver: string;
  readonly url: string;
  readonly secretFile: string | null;
}

/** What a service expects of its index; null: what the index before has. */
export interface Expected {
  readonly indexHash: string | null;
  readonly metric: string | null;
  readonly analyzer: string | null;
  /** Fields that differ by intention: METRIC, ANALYZER. */
  readonly allow: readonly string[];
}

/** One command's talk with a store. */
export interface StoreTalk {
  readonly aliases: IndexAliases;
  readonly signal: AbortSignal;
}

const TALK_MS = 300_000;

/** Opens the store, works with it and closes it again. */
export async function withStore<T>(
  { driver, url, secretFile }: StoreOptions,
  work: (talk: StoreTalk) => Promise<T>,
): Promise<T> {
  const aliases = openIndex({ driver, url, secretFile }, systemClock());
  try {
    return await work({ aliases, signal: AbortSignal.timeout(TALK_MS) });
  } finally {
    await aliases.close().catch(() => {}); // The command has its answer or its error already.
  }
}

/** Where a name points; a name that is not there is an error of whoever gave it. */
export async function targetOf(alias: string, { aliases, signal }: StoreTalk): Promise<AliasTarget> {
  const target = await aliases.readAlias(alias, signal);
  if (target !== null) return target;
  throw new CliError(EXIT.badUsage, `there is no name ${printableLine(alias)} in this store; see --alias`);
}

/** Facts of an index as `--json` tells them. */
export function factsAnswer({ name, count, dims, metric, analyzer, stamp, notReady }: IndexFacts) {
  const kept =
    stamp === null
      ? null
      : {
          INDEX_HASH: stamp.indexHash,
          METRIC: stamp.metric,
          ANALYZER: stamp.analyzer,
          EMBED_SCHEMA: stamp.embedSchema,
          BUILD_TS: stamp.builtAt,
          count: stamp.count,
        };
  return { index: name, count, dims, metric, analyzer, not_ready: notReady, stamp: kept };
}

/** The same for people, a line each. */
export function factsLines({ name, count, dims, metric, analyzer, stamp, notReady }: IndexFacts): readonly string[] {
  const own = [
    `${count} rows`,
    dims === null ? "dimensions unknown" : `${dims} dimensions`,
    `metric ${metric ?? "not told by the store"}`,
    `analyzer ${analyzer ?? "not told by the store"}`,
  ];
  const ready = notReady === null ? [] : [`  not ready: ${notReady}`];
  if (stamp === null) return [`${name}  ${own.join(", ")}`, ...ready, "  carries no stamp"];
  return [
    `${name}  ${own.join(", ")}`,
    ...ready,
    `  INDEX_HASH   ${stamp.indexHash}`,
    `  METRIC       ${stamp.metric}`,
    `  ANALYZER     ${stamp.analyzer}`,
    `  EMBED_SCHEMA ${stamp.embedSchema}`,
    `  BUILD_TS     ${stamp.builtAt}, of ${stamp.count} chunks`,
  ];
}

/** Whether `to` may serve whoever reads `from`; a null `from` says nothing of metric and analyzer. */
export async function judgeReplacement(
  from: string | null,
  to: string,
  { indexHash, metric, analyzer, allow }: Expected,
  { aliases, signal }: StoreTalk,
): Promise<readonly Verdict[]> {
  const [before, after] = [
    from === null ? null : await aliases.describe(from, signal),
    await aliases.describe(to, signal),
  ];
  if (from !== null && before === null) throw new CliError(EXIT.badUsage, `there is no index ${printableLine(from)}`);
  const other = expectationOf(null, null, before, allow);
  // A name is given here, not a hash: any stamp will do that is there.
  const hash = indexHash ?? after?.stamp?.indexHash ?? null;
  const isFree = (field: string, word: "metric" | "analyzer") =>
    allow.includes(field) ? (after?.[word] ?? after?.stamp?.[word] ?? null) : null;
  return judgeIndex(to, after, {
    indexHash: hash,
    metric: metric ?? other.metric ?? isFree("METRIC", "metric"),
    analyzer: analyzer ?? other.analyzer ?? isFree("ANALYZER", "analyzer"),
    embedSchema: null,
  });
}

/** The verdicts for people, and the exit code they come to: 0, 10 for a refusal, 11 where it cannot be told. */
export function sayVerdicts(verdicts: readonly Verdict[], terminal: Terminal): ExitCode {
  for (const { kind, reason, needs } of verdicts) {
    terminal.say(`  ${kind.padEnd(12)} ${reason}${needs === null ? "" : `; needs ${needs}`}`);
  }
  const all = overall(verdicts);
  return all === "pass" ? EXIT.ok : all === "fail" ? EXIT.gateFailed : EXIT.waiting;
}
