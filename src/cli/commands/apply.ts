import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { namedFiles, readDocument } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";
import { watch } from "./watch.ts";

export interface ApplyOptions {
  readonly json: boolean;
  readonly watch: boolean;
}

/** `sluice apply FILE`: hands the document to the controller; `--watch` stays until its end. */
export async function apply(
  file: string,
  options: ApplyOptions,
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const document = await readDocument(file);
  const { paths, goldDigest } = await namedFiles(document);
  const body = { document: document.text, file, gold_digest: goldDigest, paths };
  const { id, generation } = await client.post<{ id: string; generation: number }>("/v1/rollouts", body, document);
  terminal.say(`${terminal.paint("good", "accepted")} rollout ${id}, generation ${generation}`);
  if (options.watch) return watch(id, { json: options.json, timeoutS: null }, client, terminal);
  if (options.json) terminal.data(JSON.stringify({ id, generation }));
  else terminal.say(`watch it with: sluice watch ${id}`);
  return EXIT.ok;
}
