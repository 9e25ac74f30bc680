import { createReadStream } from "node:fs";
import type { LineJudge } from "../../core/trace/judgement.ts";
import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { LineReader } from "./line-reader.ts";
import { TextLineReader } from "./text-line-reader.ts";

const CHUNK_BYTES = 262_144;

/**
 * Hands on the lines of a file, or of stdin for `-`, until the taker has enough or the input ends.
 * @param lines what a line is: a JSON value, or text that the taker takes apart itself
 */
export async function readLines(
  taker: Pick<LineJudge, "take" | "refuse">,
  path: string,
  lines: "json" | "text" = "json",
): Promise<void> {
  const reader = lines === "json" ? new LineReader(taker) : new TextLineReader(taker);
  const input = path === "-" ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    for await (const chunk of input) if (reader.push(chunk as Buffer)) return;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new CliError(EXIT.badUsage, `cannot read ${path} (${code}); expected a readable file, or - for stdin`, error);
  }
  reader.end();
}
