import { styleText } from "node:util";
import { redactSecrets } from "../drivers/access/http/secrets.ts";

/** Where a command talks. stdout is data, stderr is talk. */
export interface Terminal {
  /** One line of data. */
  data(line: string): void;
  /** One line of talk. */
  say(line: string): void;
  /** True when a person watches stderr: only then is anything redrawn or coloured. */
  readonly isInteractive: boolean;
  paint(style: Style, text: string): string;
}

export type Style = "good" | "bad" | "warn" | "dim" | "strong";

const FORMATS = { good: "green", bad: "red", warn: "yellow", dim: "dim", strong: "bold" } as const;

/**
 * The process's own terminal. No secret that was resolved in this process is ever written to it. NO_COLOR wins over
 * FORCE_COLOR; without either, colour needs a TTY.
 */
export function processTerminal(): Terminal {
  const { env, stdout, stderr } = process;
  const wantsColour = env["FORCE_COLOR"] !== undefined || (stderr.isTTY === true && env["TERM"] !== "dumb");
  const hasColour = wantsColour && (env["NO_COLOR"] ?? "") === "";
  return {
    data: (line) => void stdout.write(`${redactSecrets(line)}\n`),
    say: (line) => void stderr.write(`${redactSecrets(line)}\n`),
    isInteractive: stderr.isTTY === true && env["CI"] === undefined,
    paint: (style, text) => (hasColour ? styleText(FORMATS[style], text, { validateStream: false }) : text),
  };
}
