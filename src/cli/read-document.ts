import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { RolloutPlan } from "../core/stage/plan.ts";
import { describeProblem } from "../spec/excerpt.ts";
import { planRollout } from "../spec/plan.ts";
import { isProblems, type ReadRollout, readRollout } from "../spec/read-rollout.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** A document from disk, with its text and the folder that relative paths in it start from. */
export interface DocumentFile extends ReadRollout {
  readonly file: string;
  readonly folder: string;
  readonly text: string;
}

export function sha256Hex(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Text of a file a person named. A missing or unreadable one is bad usage, with the path as it was given. */
export async function readNamedFile(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new CliError(EXIT.badUsage, `cannot read ${what} ${path} (${code}); expected a readable file`, error);
  }
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

/**
 * The plan of a document. The bucket seed is derived from the rollout's name, generation and a salt only the controller
 * knows, so that nobody can compute which users a rollout will pick.
 * @param salt unguessable bytes of this installation
 */
export async function planDocument(document: DocumentFile, generation: number, salt: Uint8Array): Promise<RolloutPlan> {
  const gold = document.document.spec.probes?.set;
  const goldText = gold === undefined ? "" : await readNamedFile(resolve(document.folder, gold), "the gold set");
  const rolloutSalt = createHash("sha256")
    .update(salt)
    .update(`${document.document.metadata.name}/${generation}`)
    .digest();
  return planRollout(document.document, document.source, {
    file: basename(document.file),
    generation,
    seed: createHash("sha256").update(rolloutSalt).digest().readUInt32BE(0),
    documentDigest: `sha256:${sha256Hex(document.text)}`,
    goldDigest: gold === undefined ? "" : `sha256:${sha256Hex(goldText)}`,
  });
}
