import { EXIT, type ExitCode } from "../exit-code.ts";
import { namedFiles, readDocument } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";

/** `sluice validate FILE`: reads the document and the files it names, and says what is wrong, all at once. */
export async function validate(file: string, options: { json: boolean }, terminal: Terminal): Promise<ExitCode> {
  const read = await readDocument(file);
  await namedFiles(read); // What it names and is not there would stop the next command.
  const { document } = read;
  if (options.json) terminal.data(JSON.stringify({ valid: true, rollout: document.metadata.name, problems: [] }));
  else
    terminal.say(
      `${terminal.paint("good", "ok")} ${file}: rollout ${document.metadata.name} of ${document.spec.service}`,
    );
  return EXIT.ok;
}
