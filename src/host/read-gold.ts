import { type GoldSet, readGoldSet } from "../probe/gold-set.ts";
import { InputError } from "../probe/input-error.ts";
import { describeProblem } from "../spec/excerpt.ts";
import { readNamedFile, sha256Hex } from "./named-file.ts";

/** A gold set from disk, with the digest of its text: what a rollout pins at apply. */
export type GoldFile = GoldSet & { readonly textDigest: string };

/**
 * Reads a gold set a person named.
 * @throws InputError `file`, with all its problems as one message
 */
export async function readGold(file: string): Promise<GoldFile> {
  const text = await readNamedFile(file, "the gold set");
  const read = readGoldSet(text);
  if ("items" in read) return { ...read, textDigest: `sha256:${sha256Hex(text)}` };
  const listed = read.map((problem) => describeProblem(problem, file, text)).join("\n");
  throw new InputError("file", `${listed}\n${read.length} problems in ${file}`);
}
