import { basename, dirname, resolve } from "node:path";
import type { RolloutPlan } from "../core/stage/plan.ts";
import { readNamedFile, sha256Hex } from "../host/named-file.ts";
import { describeProblem } from "../spec/excerpt.ts";
import { planRollout, type ProbePaths } from "../spec/plan.ts";
import { isProblems, type ReadRollout, readRollout } from "../spec/read-rollout.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** A document from disk, with its text and the folder that relative paths in it start from. */
export interface DocumentFile extends ReadRollout {
  readonly file: string;
  readonly folder: string;
  readonly text: string;
}

/** Reads a rollout document; all its problems become one message and exit code 2. */
export async function readDocument(file: string): Promise<DocumentFile> {
  const text = await readNamedFile(file, "the rollout document");
  const read = readRollout(text);
  if (isProblems(read)) {
    const listed = read.map((problem) => describeProblem(problem, file, text)).join("\n");
    throw new CliError(
      EXIT.badUsage,
      `${listed}\n${read.length} ${read.length === 1 ? "problem" : "problems"} in ${file}`,
    );
  }
  return { ...read, file, folder: dirname(resolve(file)), text };
}

/** Absolute places of the files a document names, and the digest of its gold set ("" without one). */
export async function namedFiles({
  document,
  folder,
}: DocumentFile): Promise<{ paths: ProbePaths; goldDigest: string }> {
  const { probes } = document.spec;
  const found = (path: string | undefined) => (path === undefined ? null : resolve(folder, path));
  const paths = { set: found(probes?.set), map: found(probes?.map), corpus: found(probes?.corpus) };
  if (paths.set === null) return { paths, goldDigest: "" };
  return { paths, goldDigest: `sha256:${sha256Hex(await readNamedFile(paths.set, "the gold set"))}` };
}

/** The plan of a document as `plan` shows it. The bucket seed is the controller's secret, so this one routes nobody. */
export async function previewPlan(read: DocumentFile): Promise<RolloutPlan> {
  const { document, source, file, text } = read;
  const named = await namedFiles(read);
  const documentDigest = `sha256:${sha256Hex(text)}`;
  return planRollout(document, source, { file: basename(file), generation: 1, seed: 0, documentDigest, ...named });
}
