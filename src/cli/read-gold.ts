import { type GoldSet, readGoldSet } from "../probe/gold-set.ts";
import { describeProblem } from "../spec/excerpt.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";
import { readNamedFile, sha256Hex } from "./read-document.ts";

/** A gold set from disk, with the digest of its text: what a rollout pins at apply. */
export type GoldFile = GoldSet & { readonly textDigest: string };

/** Reads a gold set a person named; all its problems become one message and exit code 2. */
export async function readGold(file: string): Promise<GoldFile> {
  const text = await readNamedFile(file, "the gold set");
  const read = readGoldSet(text);
  if ("items" in read) return { ...read, textDigest: `sha256:${sha256Hex(text)}` };
  const listed = read.map((problem) => describeProblem(problem, file, text)).join("\n");
  throw new CliError(EXIT.badUsage, `${listed}\n${read.length} problems in ${file}`);
}
