import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { type BodyStart, readStart } from "../ports/bounded-body.ts";
import { InputError } from "../probe/input-error.ts";
import { decodeText } from "../spec/document-text.ts";
import { describeProblem } from "../spec/excerpt.ts";

export function sha256Hex(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Code of a file that is no text. */
const NO_TEXT = "E101";
/** A pipe or a device that somebody names by mistake neither fills memory nor holds a command for ever. */
const LIMITS = { bytesMax: 268_435_456, timeoutMs: 30_000 };

/**
 * Bytes of a file a person named.
 * @throws InputError `file`: it is missing or unreadable; the message has the path as it was given
 */
export async function readNamedBytes(path: string, what: string): Promise<Uint8Array> {
  const { bytes, rest, isLate } = await open(path, what);
  if (rest === null) return bytes;
  const found = isLate ? `did not end in ${LIMITS.timeoutMs / 1_000} s` : `has over ${LIMITS.bytesMax} bytes`;
  throw new InputError("file", `cannot read ${what} ${path}: it ${found}; expected a regular file`);
}

async function open(path: string, what: string): Promise<BodyStart> {
  const file = createReadStream(path);
  try {
    return await readStart(Readable.toWeb(file) as ReadableStream<Uint8Array>, {
      bytesMax: LIMITS.bytesMax,
      until: AbortSignal.timeout(LIMITS.timeoutMs),
    });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new InputError("file", `cannot read ${what} ${path} (${code}); expected a readable file`, error);
  } finally {
    file.destroy();
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
