import { type Command, Option } from "commander";
import { PRESETS } from "../../spec/preset/index.ts";
import type { Terminal } from "../terminal.ts";
import { type Act, integer, positive, type Verb } from "./options.ts";

/** Commands that ask questions. */
export function addProbes(program: Command, verb: Verb, act: Act, terminal: Terminal): void {
  verb("probe", "ask a gold set of one service, or of two in pairs, and judge the answers")
    .requiredOption("--target <url>", "answer endpoint of the release in question")
    .requiredOption("--gold <file>", "gold set, YAML or JSONL")
    .option("--baseline <url>", "answer endpoint of the stable release")
    .option("--k <n>", "sections asked for", integer(1, 50), 10)
    .option("--repeats <n>", "repetitions of each phrasing", integer(1, 10), 2)
    .addOption(new Option("--tier <tier>", "how many questions").choices(["smoke", "full"]).default("full"))
    .addOption(new Option("--preset <name>", "gates to judge by").choices(Object.keys(PRESETS)).default("default"))
    .option("--min-cov <share>", "coverage that must be reached", positive)
    .option("--max-ds <distance>", "median delta_s that may not be exceeded", positive)
    .option("--corpus <path>", "source documents; anchors come from stable's answers without them")
    .option("--embedder <name>", "judge: lexical, or openai/MODEL:DIMS", "lexical")
    .option("--lock <file>", "keep the calibration here")
    .option("--map <file>", "mapping of another response shape")
    .option("--rps <n>", "requests per second over both services", positive)
    .option("--concurrency <n>", "requests at once", integer(1, 256), 16)
    .action(
      act(async (options: Record<string, unknown>) => {
        const { probe } = await import("../commands/probe.ts");
        const absent = { baseline: null, minCov: null, maxDs: null, corpus: null, lock: null, map: null, rps: null };
        return probe({ ...absent, ...options } as Parameters<typeof probe>[0], terminal);
      }),
    );
  const gold = program.command("gold").description("gold sets").exitOverride();
  verb("lint <file>", "check a gold set, against its corpus when there is one", gold)
    .option("--corpus <path>", "source documents")
    .action(
      act(async (file: string, options: { json: boolean; corpus?: string }) => {
        const { goldLint } = await import("../commands/gold-lint.ts");
        return goldLint(file, { json: options.json, corpus: options.corpus ?? null }, terminal);
      }),
    );
}
