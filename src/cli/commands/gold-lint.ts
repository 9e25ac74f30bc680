import { loadCorpus } from "../../probe/corpus-file.ts";
import { lintGoldSet } from "../../probe/gold-lint.ts";
import { describeProblem } from "../../spec/excerpt.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { readNamedFile } from "../../host/named-file.ts";
import { readGold } from "../../host/read-gold.ts";
import type { Terminal } from "../terminal.ts";

/** `sluice gold lint FILE`: shape, phrasings and topics; with a corpus also whether every gold section exists. */
export async function goldLint(
  file: string,
  options: { json: boolean; corpus: string | null },
  terminal: Terminal,
): Promise<ExitCode> {
  const gold = await readGold(file);
  const corpus = options.corpus === null ? null : await loadCorpus(options.corpus);
  const { errors, warnings, counts } = lintGoldSet(gold, corpus);
  if (options.json) terminal.data(JSON.stringify({ errors, warnings, counts }));
  else {
    const text = await readNamedFile(file, "the gold set");
    for (const problem of errors)
      terminal.say(`${terminal.paint("bad", "error")} ${describeProblem(problem, file, text)}`);
    for (const problem of warnings)
      terminal.say(`${terminal.paint("warn", "warning")} ${describeProblem(problem, file, text)}`);
    const topics = Object.entries(counts.topics).map(([topic, count]) => `${topic} ${count}`);
    terminal.say(
      `${counts.items} questions (${counts.answerable} answerable) in ${topics.length === 1 ? "1 topic" : `${topics.length} topics`}: ${topics.join(", ")}`,
    );
    if (corpus === null) terminal.say("gold sections were not checked: give --corpus");
    else if (errors.length === 0) terminal.say(`every gold section is among the ${corpus.length} of ${options.corpus}`);
  }
  return errors.length > 0 ? EXIT.badUsage : EXIT.ok;
}
