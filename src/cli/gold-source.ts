import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Problem } from "../core/problem.ts";
import { readNamedBytes, readNamedFile } from "../host/named-file.ts";
import { loadCorpus } from "../probe/corpus-file.ts";
import type { CorpusSection } from "../probe/corpus.ts";
import { importDataset } from "../probe/import/dataset-rows.ts";
import { DATASETS, type GoldFormat } from "../probe/import/format-names.ts";
import type { Imported } from "../probe/import/imported.ts";
import { isParquet, readParquet } from "../probe/import/parquet-rows.ts";
import { importPromptfoo } from "../probe/import/promptfoo.ts";
import { importQrels } from "../probe/import/qrels.ts";
import { readQueries } from "../probe/import/queries.ts";
import { readRowSources } from "../probe/import/row-source.ts";
import { importXquad } from "../probe/import/xquad.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** A file whose findings are told with their lines. */
export interface Told {
  readonly file: string;
  readonly text: string;
  readonly problems: readonly Problem[];
}

/** What came of a source, and the files it was read from; warnings stand in the last one. */
interface GoldSource {
  readonly imported: Imported;
  readonly sources: readonly Told[];
}

interface GoldSourceOptions {
  readonly from: GoldFormat;
  readonly corpus: string | null;
  readonly queries: string | null;
  readonly topic: string;
}

/** Reads the questions of another tool. A file that is missing or no text is bad usage; all else is in what it says. */
export async function readGoldSource(file: string, options: GoldSourceOptions): Promise<GoldSource> {
  const { from, queries, topic } = options;
  if ((from === "qrels") !== (queries !== null)) {
    const wanted = from === "qrels" ? "names queries by id: give their texts with --queries" : "needs no --queries";
    throw new CliError(EXIT.badUsage, `--from ${from} ${wanted}`);
  }
  const corpus = options.corpus === null ? null : await loadCorpus(options.corpus);
  if (from === "beir") return readBeir(file, corpus, topic);
  if (queries !== null) return readJudged(file, queries, corpus, topic);
  if (DATASETS.some((name) => name === from)) return readDataset(file, corpus, topic);
  const text = await readNamedFile(file, "the questions");
  const imported = from === "promptfoo" ? importPromptfoo(text, { corpus, topic }) : importXquad(text, corpus);
  return { imported, sources: [{ file, text, problems: imported.problems }] };
}

async function readJudged(
  file: string,
  queriesFile: string,
  corpus: readonly CorpusSection[] | null,
  topic: string,
): Promise<GoldSource> {
  const text = await readNamedFile(file, "the questions");
  const queriesText = await readNamedFile(queriesFile, "the queries");
  const queries = readQueries(queriesText);
  const imported = importQrels(text, { queries, corpus, topic });
  const ofQueries = { file: queriesFile, text: queriesText, problems: [...queries.problems, ...queries.warnings] };
  return { imported, sources: [ofQueries, { file, text, problems: imported.problems }] };
}

/**
 * A folder as BEIR has it: `queries.jsonl` and one file of `qrels/`, `test.tsv` where there are several. Its ids are
 * section ids; without `--corpus` they are not looked for in its own `corpus.jsonl`, which may be of any size.
 * @source N. Thakur et al., "BEIR", NeurIPS 2021, data format
 */
async function readBeir(folder: string, corpus: readonly CorpusSection[] | null, topic: string): Promise<GoldSource> {
  const qrels = join(folder, "qrels");
  const names = await readdir(qrels).catch((): string[] => []);
  const name = names.includes("test.tsv") ? "test.tsv" : names.filter((one) => one.endsWith(".tsv"))[0];
  if (name === undefined) {
    const expected = "expected a BEIR folder with queries.jsonl and qrels/test.tsv";
    throw new CliError(EXIT.badUsage, `found no qrels/*.tsv in ${folder}; ${expected}`);
  }
  return readJudged(join(qrels, name), join(folder, "queries.jsonl"), corpus, topic);
}

async function readDataset(file: string, corpus: readonly CorpusSection[] | null, topic: string): Promise<GoldSource> {
  const bytes = await readNamedBytes(file, "the rows");
  const text = isParquet(bytes) ? "" : await readNamedFile(file, "the rows");
  const rows = isParquet(bytes) ? await readParquet(bytes) : readRowSources(text);
  const imported = importDataset(rows, { corpus, topic });
  return { imported, sources: [{ file, text, problems: imported.problems }] };
}
