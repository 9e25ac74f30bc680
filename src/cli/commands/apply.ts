import type { AppliedAnswer, AppliedBody } from "../../contract/rollouts.ts";
import { InputError } from "../../probe/input-error.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type DocumentFile, namedFiles, readDocument } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";
import { applyCutover } from "./cutover.ts";
import { watch } from "./watch.ts";

export interface ApplyOptions {
  readonly json: boolean;
  readonly watch: boolean;
}

/** A document as the controller wants it: its text, and what only this machine knows of the files it names. */
export async function applyBody(read: DocumentFile): Promise<AppliedBody> {
  const { paths, goldDigest, mapDigest, corpusDigest } = await namedFiles(read);
  const digests = { gold_digest: goldDigest, map_digest: mapDigest, corpus_digest: corpusDigest };
  return { document: read.text, file: read.file, ...digests, paths };
}

/** Hands a document to the controller; the answer names the rollout and its generation. */
export async function applyDocument(read: DocumentFile, client: ControllerClient): Promise<AppliedAnswer> {
  return client.post("/v1/rollouts", {}, await applyBody(read), read);
}

/** `sluice apply FILE`: hands the document to the controller; `--watch` stays until its end. */
export async function apply(
  file: string,
  options: ApplyOptions,
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const read = await readDocument(file);
  if (read.document.spec.strategy?.blueGreen !== undefined) return applyCutover(read, options, client, terminal);
  return tellApplied(await applyDocument(read, client), options, client, terminal);
}

/** Says what became of a document, and stays with it where that was asked for. */
export async function tellApplied(
  answer: AppliedAnswer,
  options: ApplyOptions,
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const { id, generation, phase, outcome, note, exit_code: code } = answer;
  if (outcome === "accepted") {
    const because = note === null ? "" : `: ${note}`;
    terminal.say(`${terminal.paint("good", "accepted")} rollout ${id}, generation ${generation}${because}`);
  } else {
    const caution = note === null ? "" : ` (${note})`;
    const advice = phase === "promoted" || code === EXIT.ok ? "" : `; begin it again with: sluice retry ${id}`;
    terminal.say(`nothing to do: rollout ${id}, generation ${generation}, is ${phase}${caution}${advice}`);
  }
  const isOver = outcome === "unchanged" && (code !== EXIT.ok || phase === "promoted");
  if (options.watch && !isOver && !options.json && outcome === "accepted")
    terminal.say("first both arms are compared and asked the gold set, where the document names one; then users move");
  if (options.watch && !isOver) return watch(id, { json: options.json, timeoutS: null }, client, terminal);
  if (options.json) terminal.data(JSON.stringify(answer));
  else if (!isOver) terminal.say(`watch it with: sluice watch ${id}`);
  return code;
}

/** The document of a file; null when there is no such file, so that a name may stand in its place. */
export async function documentIfThere(file: string): Promise<DocumentFile | null> {
  try {
    return await readDocument(file);
  } catch (error) {
    const isMissing =
      error instanceof InputError && (error.cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
    if (isMissing) return null;
    throw error;
  }
}
