import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type DocumentFile, namedFiles, readDocument } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";
import { watch } from "./watch.ts";

export interface ApplyOptions {
  readonly json: boolean;
  readonly watch: boolean;
}

/** Hands a document to the controller; the answer names the rollout and its generation. */
export async function applyDocument(
  read: DocumentFile,
  client: ControllerClient,
): Promise<{ id: string; generation: number }> {
  const { paths, goldDigest } = await namedFiles(read);
  const body = { document: read.text, file: read.file, gold_digest: goldDigest, paths };
  return client.post<{ id: string; generation: number }>("/v1/rollouts", body, read);
}

/** `sluice apply FILE`: hands the document to the controller; `--watch` stays until its end. */
export async function apply(
  file: string,
  options: ApplyOptions,
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const { id, generation } = await applyDocument(await readDocument(file), client);
  terminal.say(`${terminal.paint("good", "accepted")} rollout ${id}, generation ${generation}`);
  if (options.watch) return watch(id, { json: options.json, timeoutS: null }, client, terminal);
  if (options.json) terminal.data(JSON.stringify({ id, generation }));
  else terminal.say(`watch it with: sluice watch ${id}`);
  return EXIT.ok;
}
