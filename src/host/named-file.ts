import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { InputError } from "../probe/input-error.ts";

export function sha256Hex(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/**
 * Text of a file a person named.
 * @throws InputError `file`: it is missing or unreadable; the message has the path as it was given
 */
export async function readNamedFile(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new InputError("file", `cannot read ${what} ${path} (${code}); expected a readable file`, error);
  }
}
