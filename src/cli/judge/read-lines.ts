import { createReadStream } from "node:fs";
import type { LineJudge } from "../../core/trace/judgement.ts";
import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { type LineKind, LineReader } from "./line-reader.ts";

/** What fits the processor's cache, like the pieces that lines are parsed in. */
const CHUNK_BYTES = 65_536;

/**
 * Hands on the lines of a file, or of stdin for `-`, until the taker has enough or the input ends.
 * @param kind what a line is: a JSON value, or text that the taker takes apart itself
 */
export async function readLines(
  taker: Pick<LineJudge, "take" | "refuse">,
  path: string,
  kind: LineKind = "json",
): Promise<void> {
  const reader = new LineReader(taker, kind);
  const input = path === "-" ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    for await (const chunk of input) if (reader.push(chunk as Buffer)) return;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new CliError(EXIT.badUsage, `cannot read ${path} (${code}); expected a readable file, or - for stdin`, error);
  }
  reader.end();
}
