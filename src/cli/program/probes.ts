import { type Command, InvalidArgumentError, Option } from "commander";
import { GOLD_FORMATS } from "../../probe/import/format-names.ts";
import { PRESETS } from "../../spec/preset/index.ts";
import type { Terminal } from "../terminal.ts";
import { type Act, collect, integer, positive, type Verb } from "./options.ts";

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
    .option("--header <name: value>", "sent to both services; ${NAME} is an environment variable", collect, [])
    .option("--rps <n>", "requests per second over both services", positive)
    .option("--concurrency <n>", "requests at once", integer(1, 256), 16)
    .action(
      act(async (options: Record<string, unknown>) => {
        const { probe } = await import("../commands/probe.ts");
        const absent = { baseline: null, minCov: null, maxDs: null, corpus: null, lock: null, map: null, rps: null };
        return probe({ ...absent, ...options } as Parameters<typeof probe>[0], terminal);
      }),
    );
  addMap(program, verb, act, terminal);
  const gold = program.command("gold").description("gold sets").exitOverride();
  verb("lint <file>", "check a gold set, against its corpus when there is one", gold)
    .option("--corpus <path>", "source documents")
    .action(
      act(async (file: string, options: { json: boolean; corpus?: string }) => {
        const { goldLint } = await import("../commands/gold-lint.ts");
        return goldLint(file, { json: options.json, corpus: options.corpus ?? null }, terminal);
      }),
    );
  addImport(gold, verb, act, terminal);
}

function addMap(program: Command, verb: Verb, act: Act, terminal: Terminal): void {
  const map = program.command("map").description("mappings of other response shapes").exitOverride();
  verb("try <file>", "send one question as the mapping says and show how its answer is understood", map)
    .option("--target <url>", "answer endpoint of the service")
    .option("--answer <file>", "a saved answer, instead of asking a service")
    .option("--question <text>", "what is asked", "What can you tell me?")
    .option("--k <n>", "sections asked for", integer(1, 50), 10)
    .option("--header <name: value>", "sent besides; ${NAME} is an environment variable", collect, [])
    .action(
      act(async (file: string, options: Record<string, unknown>) => {
        if ((options["target"] === undefined) === (options["answer"] === undefined)) {
          throw new InvalidArgumentError("expected either --target or --answer");
        }
        const { mapTry } = await import("../commands/map-try.ts");
        const absent = { target: null, answer: null };
        return mapTry(file, { ...absent, ...options } as Parameters<typeof mapTry>[1], terminal);
      }),
    );
}

const IMPORT_HELP = `
Formats:
  promptfoo  tests of a config (YAML or JSON), their list alone, CSV or JSON lines. The question is vars.question, query, prompt, input
             or message; a list there is its phrasings. Gold is metadata.gold, metadata.doc with section, or
             metadata.sections by id, else vars.context found in --corpus. is-refusal makes a question unanswerable,
             expected texts become claims, of which all are needed; those of contains-any are alternatives.
  beir       a folder with queries.jsonl and qrels/test.tsv
  huggingface, ragas, langsmith, langfuse
             rows as JSON lines, JSON, CSV or parquet: a question, a reference answer or several accepted ones, and
             gold as ids (sections, reference_context_ids, document_ids) or as contexts found in --corpus.
  qrels      TREC (query 0 document relevance) or BEIR (header query-id corpus-id score), with --queries as id<TAB>text,
             JSON lines {_id, text} or TREC topics. Documents judged above 0 are gold; rows of one query id are its phrasings.
  xquad      SQuAD-shaped JSON (SQuAD 1.1 and 2.0, XQuAD), or JSON lines {id, topic, question, doc, section, start, end,
             answer, disfluent}. Paragraphs are found in --corpus by their text, else they are TITLE#0, TITLE#1, ...

Rows that make no question are listed with line, column and reason. A gold set needs three phrasings of each question:
none is made up, and gold lint names the questions that lack some.

Examples:
  sluice gold import --from xquad dev.json --corpus docs/ --out gold.jsonl
  sluice gold import --from qrels qrels/test.tsv --queries queries.jsonl --out gold.yaml
  sluice gold import --from promptfoo promptfooconfig.yaml > gold.jsonl`;

function addImport(gold: Command, verb: Verb, act: Act, terminal: Terminal): void {
  verb("import <file>", "make a gold set of the questions of another tool", gold)
    .addOption(new Option("--from <format>", "what the file is").choices(GOLD_FORMATS).makeOptionMandatory())
    .option("--corpus <path>", "source documents, to find gold sections in")
    .option("--queries <file>", "texts of the queries that qrels name by id")
    .option("--topic <name>", "topic of questions whose source names none", "imported")
    .option("--out <file>", "gold set to write, .yaml or .jsonl; standard output without it")
    .addHelpText("after", IMPORT_HELP)
    .action(
      act(async (file: string, options: Record<string, unknown>) => {
        const { goldImport } = await import("../commands/gold-import.ts");
        const absent = { corpus: null, queries: null, out: null };
        return goldImport(file, { ...absent, ...options } as Parameters<typeof goldImport>[1], terminal);
      }),
    );
}
