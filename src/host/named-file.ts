import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { InputError } from "../probe/input-error.ts";
import { decodeText } from "../spec/document-text.ts";
import { describeProblem } from "../spec/excerpt.ts";

export function sha256Hex(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Code of a file that is no text. */
const NO_TEXT = "E101";

/**
 * Bytes of a file a person named.
 * @throws InputError `file`: it is missing or unreadable; the message has the path as it was given
 */
async function readNamedBytes(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new InputError("file", `cannot read ${what} ${path} (${code}); expected a readable file`, error);
  }
}

/**
 * Text of a file a person named, its byte order mark included.
 * @throws InputError `file`: as above, or what it holds is not UTF-8
 */
export async function readNamedFile(path: string, what: string): Promise<string> {
  const text = decodeText(await readNamedBytes(path, what), NO_TEXT);
  if (typeof text === "string") return text;
  throw new InputError("file", describeProblem(text, path, ""));
}
