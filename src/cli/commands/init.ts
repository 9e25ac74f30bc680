import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { KNOWN_DRIVERS } from "../../host/driver-registry.ts";
import { isProblems, readRollout } from "../../spec/read-rollout.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { goldTemplate, type InitAnswers, rolloutTemplate } from "../init/templates.ts";
import type { Terminal } from "../terminal.ts";

export interface InitOptions {
  readonly json: boolean;
  readonly dir: string;
  readonly service: string | null;
  readonly stable: string | null;
  readonly candidate: string | null;
  readonly header: string | null;
  /** A document that is through in minutes, for a first try. */
  readonly trial: boolean;
}

const DEFAULTS: InitAnswers = {
  service: "my-service",
  stable: "http://127.0.0.1:4001/answer",
  candidate: "http://127.0.0.1:4002/answer",
  header: "x-user-id",
};

const QUESTIONS: readonly (readonly [keyof InitAnswers, string])[] = [
  ["service", "Name of the service"],
  ["stable", "Address at which the stable release answers"],
  ["candidate", "Address at which the candidate answers"],
  ["header", "Header by which your proxy names the user"],
];

/** What stands in the document, and which of it nobody said. */
interface Answered {
  readonly answers: InitAnswers;
  readonly assumed: readonly (keyof InitAnswers)[];
}

/** Flags win; a person at a terminal is asked for the rest; everybody else gets the defaults, to be edited. */
async function answersOf(options: InitOptions, terminal: Terminal): Promise<Answered> {
  const answers = { ...DEFAULTS };
  const isAsking = terminal.isInteractive && process.stdin.isTTY === true && !options.json;
  const prompt = isAsking ? createInterface({ input: process.stdin, output: process.stderr }) : null;
  for (const [key, question] of QUESTIONS) {
    const said = options[key] ?? (await prompt?.question(`${question} [${DEFAULTS[key]}]: `)) ?? "";
    answers[key] = said === "" ? DEFAULTS[key] : said;
  }
  prompt?.close();
  const assumed = prompt === null ? QUESTIONS.map(([key]) => key).filter((key) => options[key] === null) : [];
  return { answers, assumed };
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new CliError(
      EXIT.badUsage,
      `${path} exists and is not overwritten; move it away or name another --dir`,
      error,
    );
  }
}

/** `sluice init`: a runnable rollout document and a gold set of ten questions to replace. */
export async function init(options: InitOptions, terminal: Terminal): Promise<ExitCode> {
  const { answers, assumed } = await answersOf(options, terminal);
  const text = rolloutTemplate(answers, options.trial);
  const read = readRollout(text, KNOWN_DRIVERS);
  if (isProblems(read)) {
    const listed = read.map(({ path, message }) => `${path}: ${message}`).join("\n");
    throw new CliError(EXIT.badUsage, `these answers do not make a valid document:\n${listed}`);
  }
  const files = { rollout: join(options.dir, "rollout.yaml"), gold: join(options.dir, "gold.yaml") };
  await writeNew(files.rollout, text);
  await writeNew(files.gold, goldTemplate());
  if (options.json) terminal.data(JSON.stringify({ files, assumed, next: ["doctor", "plan", "apply"] }));
  else sayNext(files, { answers, assumed }, terminal);
  return EXIT.ok;
}

function sayNext(
  files: { readonly rollout: string; readonly gold: string },
  { answers, assumed }: Answered,
  terminal: Terminal,
): void {
  const { rollout, gold } = files;
  terminal.say(`${terminal.paint("good", "wrote")} ${rollout} and ${gold}; edit both, then:`);
  if (assumed.length > 0) {
    const listed = assumed.map((key) => `--${key} ${answers[key]}`).join(", ");
    terminal.say(`  (nobody said, so these are examples to replace in ${rollout}: ${listed})`);
  }
  terminal.say(`  sluice serve   (terminal 1)\n  sluice gateway ${rollout}   (terminal 2)`);
  terminal.say(`  sluice doctor ${rollout}   (terminal 3: asks both arms, changes nothing)`);
  terminal.say(`  sluice plan ${rollout}`);
  terminal.say(`  sluice apply ${rollout} --watch`);
}
