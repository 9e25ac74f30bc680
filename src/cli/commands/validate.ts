import { EXIT, type ExitCode } from "../exit-code.ts";
import { readDocument } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";

/** `sluice validate FILE`: reads the document and says what is wrong with it, all at once. */
export async function validate(file: string, options: { json: boolean }, terminal: Terminal): Promise<ExitCode> {
  const { document } = await readDocument(file);
  if (options.json) terminal.data(JSON.stringify({ valid: true, rollout: document.metadata.name, problems: [] }));
  else
    terminal.say(
      `${terminal.paint("good", "ok")} ${file}: rollout ${document.metadata.name} of ${document.spec.service}`,
    );
  return EXIT.ok;
}
