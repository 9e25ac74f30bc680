import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { ArmPlan, RolloutPlan } from "../core/stage/plan.ts";
import { KNOWN_DRIVERS } from "../host/driver-registry.ts";
import { readNamedFile, sha256Hex } from "../host/named-file.ts";
import { InputError } from "../probe/input-error.ts";
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
  const read = readRollout(text, KNOWN_DRIVERS);
  if (isProblems(read)) {
    const listed = read.map((problem) => describeProblem(problem, file, text)).join("\n");
    throw new CliError(
      EXIT.badUsage,
      `${listed}\n${read.length} ${read.length === 1 ? "problem" : "problems"} in ${file}`,
    );
  }
  return { ...read, file, folder: dirname(resolve(file)), text };
}

/** Where the files a document names are, and what is in them: equal digests are equal files. */
export interface NamedFiles {
  readonly paths: ProbePaths;
  /** Empty where the document names no such file. */
  readonly goldDigest: string;
  readonly mapDigest: string;
  readonly corpusDigest: string;
}

/** A file that a document names cannot be read. */
const UNREAD_FILE = "E139";

/**
 * Absolute places and digests of the files a document names. Files that only carry credentials are not among them.
 * @throws CliError exit 2: all that cannot be read, each at its place in the document
 */
export async function namedFiles({ document, source, folder, file, text }: DocumentFile): Promise<NamedFiles> {
  const { probes } = document.spec;
  const found = (path: string | undefined) => (path === undefined ? null : resolve(folder, path));
  const paths = { set: found(probes?.set), map: found(probes?.map), corpus: found(probes?.corpus) };
  const unread: string[] = [];
  const digestOf = async (key: keyof ProbePaths, digest: (path: string) => Promise<string>): Promise<string> => {
    const path = paths[key];
    if (path === null) return "";
    return digest(path).catch((error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      const at = source.locate(["spec", "probes", key]);
      const problem = { code: UNREAD_FILE, path: `spec.probes.${key}`, message: error.message, at };
      unread.push(describeProblem(problem, file, text));
      return "";
    });
  };
  const contentOf = (what: string) => async (path: string) => `sha256:${sha256Hex(await readNamedFile(path, what))}`;
  const goldDigest = await digestOf("set", contentOf("the gold set"));
  const mapDigest = await digestOf("map", contentOf("the mapping"));
  const digests = { goldDigest, mapDigest, corpusDigest: await digestOf("corpus", corpusDigest) };
  if (unread.length > 0) throw new CliError(EXIT.badUsage, unread.join("\n"));
  return { paths, ...digests };
}

/** Digest of a corpus: of the file, or of every file below the folder with its place in it. */
async function corpusDigest(path: string): Promise<string> {
  if (!(await isFolder(path))) return `sha256:${sha256Hex(await readNamedFile(path, "the corpus"))}`;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(`${relative(path, file)}\0${sha256Hex(await readFile(file))}\n`);
  return `sha256:${hash.digest("hex")}`;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/**
 * The plan of a document as `plan` shows it. The bucket seed is the controller's secret, so this one routes nobody.
 * @param current what the service serves now, where a controller could be asked
 */
export async function previewPlan(read: DocumentFile, current: ArmPlan | null = null): Promise<RolloutPlan> {
  const { document, source, file, text } = read;
  const { paths, goldDigest } = await namedFiles(read);
  const documentDigest = `sha256:${sha256Hex(text)}`;
  const context = {
    file: basename(file),
    generation: 1,
    seed: 0,
    documentDigest,
    paths,
    goldDigest,
    current,
    drivers: KNOWN_DRIVERS,
  };
  return planRollout(document, source, context);
}
