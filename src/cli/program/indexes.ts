import { type Command, Option } from "commander";
import type { IndexBuildOptions } from "../commands/index-build.ts";
import type { RollbackOptions, SwapOptions } from "../commands/index-swap.ts";
import type { Expected, StoreOptions } from "../commands/index-store.ts";
import type { Terminal } from "../terminal.ts";
import { type Act, collect, duration, integer, type Verb } from "./options.ts";

const READ_BACK_MS = 30_000;
const EPOCH_MAX = Number.MAX_SAFE_INTEGER;

/** Options that say where a store is. */
function ofStore(command: Command): Command {
  return command
    .requiredOption("--driver <name>", "pgvector, qdrant, opensearch or redis")
    .requiredOption("--url <url>", "address of the store, without a password")
    .option("--secret-file <path>", "file with its password, key or whole address");
}

/** Options that say what the service expects of its index. */
function ofExpectation(command: Command): Command {
  return command
    .option("--index-hash <hash>", "INDEX_HASH it must carry; any stamp will do without")
    .option("--metric <name>", "metric its service expects; that of the index before without")
    .option("--analyzer <name>", "analyzer its service expects; that of the index before without")
    .addOption(
      new Option("--allow <field>", "may differ by intention, METRIC or ANALYZER; may be given twice")
        .argParser(collect)
        .default([]),
    );
}

function ofMoving(command: Command): Command {
  return command
    .requiredOption("--alias <name>", "the public name that readers use")
    .option("--epoch <n>", "fencing token; one more than the last without", integer(1, EPOCH_MAX))
    .option("--within <duration>", "read back within", duration, READ_BACK_MS);
}

type Given = StoreOptions & Expected & { readonly within: number };

const ABSENT = { secretFile: null, alias: null, index: null, epoch: null, to: null, from: null } as const;
const NOTHING_EXPECTED = { indexHash: null, metric: null, analyzer: null } as const;

/** Commands about indexes and the public names in front of them; none needs a controller. */
export function addIndexes(program: Command, verb: Verb, act: Act, terminal: Terminal): void {
  const index = program.command("index").description("vector indexes behind a public name").exitOverride();
  ofStore(verb("fingerprint", "what an index says of itself, and what is read through a name", index))
    .option("--index <name>", "the index; without, the one that the name points to")
    .option("--alias <name>", "the public name that readers use")
    .action(
      act(async (options: StoreOptions) => {
        const { indexFingerprint } = await import("../commands/index-fingerprint.ts");
        return indexFingerprint({ ...ABSENT, ...options }, terminal);
      }),
    );
  ofExpectation(
    ofStore(verb("compare <from> <to>", "whether one index may serve the readers of another", index)),
  ).action(
    act(async (from: string, to: string, options: Given) => {
      const { indexCompare } = await import("../commands/index-fingerprint.ts");
      return indexCompare(from, to, { ...ABSENT, ...NOTHING_EXPECTED, ...options }, terminal);
    }),
  );
  ofMoving(
    ofExpectation(ofStore(verb("swap", "move the public name to an index that may replace the one before", index))),
  )
    .requiredOption("--to <index>", "where it is to point")
    .option("--from <index>", "what it must point to now; whatever that is without")
    .option("--create", "make the name, which is not there yet", false)
    .action(
      act(async (options: Given & Pick<SwapOptions, "alias" | "to" | "create">) => {
        const { indexSwap } = await import("../commands/index-swap.ts");
        const given = { ...ABSENT, ...NOTHING_EXPECTED, ...options, withinMs: options.within };
        return indexSwap(given, terminal);
      }),
    );
  ofMoving(ofStore(verb("rollback", "move the public name back, at once", index)))
    .option("--to <index>", "where it is to point; the index before without")
    .action(
      act(async (options: Given & Pick<RollbackOptions, "alias">) => {
        const { indexRollback } = await import("../commands/index-swap.ts");
        return indexRollback({ ...ABSENT, ...options, withinMs: options.within }, terminal);
      }),
    );
  addBuild(index, verb, act, terminal);
}

function addBuild(index: Command, verb: Verb, act: Act, terminal: Terminal): void {
  verb("build", "a new table of PostgreSQL from a corpus, stamped", index)
    .requiredOption("--url <url>", "address of the database, without a password")
    .option("--secret-file <path>", "file with its password or whole address")
    .requiredOption("--corpus <file>", "JSON lines of {id, section, text, start?, end?, vector?}")
    .requiredOption("--index <name>", "name of the table, which must not be there")
    .addOption(
      new Option("--metric <name>", "how vectors are compared").choices(["cosine", "l2", "ip"]).default("cosine"),
    )
    .requiredOption("--analyzer <name>", "how texts were taken apart, as services state it; none where they were not")
    .option("--embedder <name>", "openai/MODEL:DIMS or lexical, for a corpus without vectors")
    .option("--embed-schema <text>", "EMBED_SCHEMA of vectors that the corpus has; the embedder's id without")
    .option("--chunk-schema <text>", "how texts were cut, as a part of INDEX_HASH", "as given")
    .action(
      act(async (options: IndexBuildOptions) => {
        const { indexBuild } = await import("../commands/index-build.ts");
        const absent = { secretFile: null, embedder: null, embedSchema: null };
        return indexBuild({ ...absent, ...options }, terminal);
      }),
    );
}
