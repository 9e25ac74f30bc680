import type { Command } from "commander";
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
        }) => {
          const { chunk, fault, ...rest } = options;
          return (await import("../commands/lab-serve.ts")).labServe(
            { ...rest, chunkWords: chunk, faults: fault },
            terminal,
          );
        },
      ),
    );
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
