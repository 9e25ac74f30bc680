import type { Command } from "commander";
import type { LabJobsOptions } from "../commands/lab-jobs.ts";
import type { Terminal } from "../terminal.ts";
import { type Act, collect, integer, port, positive, seed, type Verb } from "./options.ts";

/** Commands of the laboratory. */
export function addLab(program: Command, verb: Verb, act: Act, terminal: Terminal): void {
  const lab = program.command("lab").description("the laboratory: a RAG service and its users").exitOverride();
  verb("serve", "a RAG service with real retrieval over a corpus", lab)
    .requiredOption("--corpus <path>", "folder of Markdown or text, or JSONL of {doc, section, text}")
    .requiredOption("--index <name>", "name of the index")
    .option("--chunk <words>", "words in a chunk", integer(1, 10_000), 80)
    .option("--fault <fault>", "plant a fault, NAME or NAME=x; may be given several times", collect, [])
    .option("--port <n>", "port on 127.0.0.1, 0 for a free one", port, 0)
    .option("--data <dir>", "keep the index file here")
    .option("--seed <n>", "seed of model times and faults", seed, 1)
    .option("--release <label>", "makes two otherwise equal services different releases", "1")
    .option("--model-ms <ms>", "median of the simulated model time", positive, 60)
    .option("--store <url>", "index and cache are in this PostgreSQL: --index names a table, --corpus is not read")
    .option("--alias <name>", "public name that users are answered through, with --store", "docs_live")
    .action(
      act(
        async (options: {
          corpus: string;
          index: string;
          chunk: number;
          fault: readonly string[];
          port: number;
          data?: string;
          seed: number;
          release: string;
          modelMs: number;
          store?: string;
          alias: string;
        }) => {
          const { chunk, fault, store: url, alias, ...rest } = options;
          const store = url === undefined ? undefined : { url, alias };
          return (await import("../commands/lab-serve.ts")).labServe(
            { ...rest, chunkWords: chunk, faults: fault, store },
            terminal,
          );
        },
      ),
    );
  addShared(lab, verb, act, terminal);
  verb("traffic", "open-loop users asking the questions of a gold set", lab)
    .requiredOption("--target <url>", "answer endpoint, e.g. of the gateway")
    .requiredOption("--gold <file>", "gold set the questions are drawn from")
    .option("--rps <n>", "requests per second", positive, 50)
    .option("--seconds <n>", "end after this long", positive)
    .option("--seed <n>", "seed of users, questions and arrivals", seed, 1)
    .action(
      act(async (options: { target: string; gold: string; rps: number; seconds?: number; seed: number }) => {
        const [{ labTraffic }, { readGold }] = await Promise.all([
          import("../commands/lab-traffic.ts"),
          import("../../host/read-gold.ts"),
        ]);
        const { items } = await readGold(options.gold);
        const questions = items.flatMap(({ phrasings }) => phrasings);
        return labTraffic({ ...options, questions, seconds: options.seconds ?? null }, terminal);
      }),
    );
}

/** What several processes of a cutover share, and the processes that work with effects. */
function addShared(lab: Command, verb: Verb, act: Act, terminal: Terminal): void {
  verb("database", "an empty database in memory that speaks PostgreSQL's protocol on this machine", lab)
    .option("--port <n>", "port on 127.0.0.1, 0 for a free one", port, 0)
    .option("--alias-lag <ms>", "plant a fault: a moved name is seen moved so much later", positive)
    .option("--alias <name>", "the name that lags", "docs_live")
    .option("--index <name>", "where that name begins", "docs_va")
    .action(
      act(async ({ aliasLag, ...rest }: { port: number; aliasLag?: number; alias: string; index: string }) =>
        (await import("../commands/lab-database.ts")).labDatabase({ ...rest, aliasLagMs: aliasLag ?? null }, terminal),
      ),
    );
  verb("jobs", "a process of a release that works with effects, and asks the controller whether it may", lab)
    .requiredOption("--part <part>", "producer, worker or scheduler")
    .requiredOption("--controller <url>", "the controller; a token of scope worker is in SLUICE_TOKEN")
    .requiredOption("--service <name>", "the service")
    .requiredOption("--release <name>", "the release this process belongs to")
    .requiredOption("--store <url>", "the database that `lab database` serves")
    .requiredOption("--consumer <name>", "consumer of the queue that this release's workers are")
    .option("--queue <name>", "queue before the first cutover", "jobs.blue")
    .option("--pointer <name>", "the record that says who consumes", "jobs")
    .option("--freezes", "a scheduler stops itself between its leave and its write", false)
    .action(
      act(async (options: LabJobsOptions) => (await import("../commands/lab-jobs.ts")).labJobs(options, terminal)),
    );
}
