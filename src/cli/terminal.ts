import { styleText } from "node:util";
import { printable } from "../core/printable.ts";
import { redactSecrets } from "../drivers/secrets.ts";
import { EXIT } from "./exit-code.ts";
import { systemAdvice } from "./system-advice.ts";

/** Where a command talks. stdout is data, stderr is talk. */
export interface Terminal {
  /** One line of data. What others put into it is made printable here, and obeyed by no CI system. */
  data(line: string): void;
  /** Data in a format of its own, which has taken care of the text of others. */
  document(text: string): void;
  /** One line of talk, made printable as `data` is. */
  say(line: string): void;
  /** True when a person watches stderr: only then is anything redrawn or coloured. */
  readonly isInteractive: boolean;
  /** Marks a part of a line; `data` and `say` turn the marks into colours where there are any. */
  paint(style: Style, text: string): string;
}

/**
 * Stand for colours inside a line, so that every other escape sequence is somebody else's. Not characters, by Unicode.
 */
const MARKS: Readonly<Record<Style, string>> = {
  good: "\ufdd1",
  bad: "\ufdd2",
  warn: "\ufdd3",
  dim: "\ufdd4",
  strong: "\ufdd5",
};
const END_MARK = "\ufdd0";
const MARKED = /([\ufdd1-\ufdd5])([^\ufdd0-\ufdd5]*)\ufdd0/g;
const LEFT_OVER = /[\ufdd0-\ufdd5]/g;

export type Style = "good" | "bad" | "warn" | "dim" | "strong";

const FORMATS = { good: "green", bad: "red", warn: "yellow", dim: "dim", strong: "bold" } as const;

/** A reader that went away is no error of ours and no news; a disk that is full is worth a word. */
function endOfOutput(error: NodeJS.ErrnoException): never {
  if (error.code === "EPIPE") process.exit(EXIT.outputClosed);
  process.stderr.write(
    `cannot write the output (${error.code ?? error.message}); ${systemAdvice(error) ?? "see where it goes"}\n`,
  );
  process.exit(EXIT.toolError);
}

const STYLES = Object.keys(FORMATS) as Style[];

/**
 * The process's own terminal. No secret that was resolved in this process is ever written to it. NO_COLOR wins over
 * FORCE_COLOR; without either, colour needs a TTY.
 */
export function processTerminal(): Terminal {
  const { env, stdout, stderr } = process;
  const wantsColour = env["FORCE_COLOR"] !== undefined || (stderr.isTTY === true && env["TERM"] !== "dumb");
  const hasColour = wantsColour && (env["NO_COLOR"] ?? "") === "";
  stdout.on("error", endOfOutput);
  stderr.on("error", () => {}); // Talk that nobody hears is no reason to end, least of all for a server.
  const style = (mark: string) => STYLES.find((name) => MARKS[name] === mark) ?? "strong";
  const painted = (text: string): string => {
    const shown = printable(redactSecrets(text));
    const coloured = hasColour
      ? shown.replace(MARKED, (_, mark: string, part: string) =>
          styleText(FORMATS[style(mark)], part, { validateStream: false }),
        )
      : shown;
    return coloured.replace(LEFT_OVER, "");
  };
  return {
    data: (line) => void stdout.write(`${painted(line)}\n`),
    document: (text) => void stdout.write(`${redactSecrets(text)}\n`),
    say: (line) => void stderr.write(`${painted(line)}\n`),
    isInteractive: stderr.isTTY === true && env["CI"] === undefined,
    paint: (style, text) => `${MARKS[style]}${text}${END_MARK}`,
  };
}
