import type { Problem } from "../core/problem.ts";

/** Bytes looked at to tell UTF-16 that has no byte order mark. */
const SAMPLE_BYTES = 512;

/** What a text in another encoding is: said before anything in it is complained about. */
function foreignEncoding(bytes: Uint8Array): string | null {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return "UTF-16 (little endian)";
  if (first === 0xfe && second === 0xff) return "UTF-16 (big endian)";
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const zeros = sample.filter((byte) => byte === 0).length;
  return zeros > 0 && zeros >= sample.length / 4 ? "UTF-16 or binary data" : null;
}

/**
 * The text of a file, byte order mark included, because digests are taken of the text as it stands; or why it is none.
 * Bytes that are not UTF-8 are never replaced: a question with a wrong letter in it is another question.
 * @param code code of the problem
 */
export function decodeText(bytes: Uint8Array, code: string): string | Problem {
  const fix = "save it as UTF-8 (Excel: CSV UTF-8; PowerShell: -Encoding utf8)";
  const encoding = foreignEncoding(bytes);
  if (encoding !== null) return { code, path: "", message: `found ${encoding}, expected UTF-8`, fix };
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const at = firstBadPlace(bytes);
    const message = `found bytes that are not UTF-8 in line ${at.line}, as Windows-1252 and Latin-1 files have them`;
    return { code, path: "", at, message, fix };
  }
}

/** Line and column of the first byte that is not UTF-8, by halving: what stands before it decodes. */
function firstBadPlace(bytes: Uint8Array): { readonly line: number; readonly column: number } {
  const isText = (end: number): boolean => {
    try {
      // As a stream, so that a character cut at the end is not what is wrong.
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, end), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isText(middle)) good = middle;
    else bad = middle;
  }
  const before = new TextDecoder().decode(bytes.subarray(0, good)).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** A text without its byte order mark. */
export function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}
