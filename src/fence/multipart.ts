import type { ContentType } from "./content-type.ts";

/** One part of a form: its head line by line, and its content. */
export interface FormPart {
  /** `name: value` with a lower-case name, in the order they were sent. */
  readonly head: readonly string[];
  readonly body: Uint8Array<ArrayBuffer>;
}

const [CR, LF, DASH] = [13, 10, 45];
const latin1 = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0] as number;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (wanted.every((byte, offset) => bytes[at + offset] === byte)) return at;
  }
  return -1;
}

const BLANK_LINE = Uint8Array.of(CR, LF, CR, LF);

function partOf(bytes: Uint8Array<ArrayBuffer>): FormPart | null {
  if (bytes[0] === CR && bytes[1] === LF) return { head: [], body: bytes.slice(2) };
  const end = indexOf(bytes, BLANK_LINE, 0);
  if (end < 0) return null;
  const head = latin1(bytes.subarray(0, end)).split("\r\n");
  const lines = head.map((line) => {
    const at = line.indexOf(":");
    return at < 0 ? line : `${line.slice(0, at).toLowerCase()}: ${line.slice(at + 1).trim()}`;
  });
  return { head: lines, body: bytes.slice(end + BLANK_LINE.length) };
}

/**
 * The parts of a multipart body, so that two sendings of one form are equal although every client draws a new boundary.
 * Null for everything that is not exactly parts between boundaries (another type, text before, between or after them):
 * such a body is compared byte for byte.
 * @source RFC 2046 §5.1.1
 */
export function readMultipart({ boundary }: ContentType, body: Uint8Array<ArrayBuffer>): readonly FormPart[] | null {
  if (boundary === null || boundary === "" || boundary.length > 70) return null;
  const open = Uint8Array.from(`--${boundary}`, (character) => character.charCodeAt(0));
  const between = Uint8Array.of(CR, LF, ...open);
  if (indexOf(body.subarray(0, open.length), open, 0) !== 0) return null;
  const parts: FormPart[] = [];
  for (let at = open.length; ; ) {
    if (body[at] === DASH && body[at + 1] === DASH) return isEnd(body.subarray(at + 2)) ? parts : null;
    if (body[at] !== CR || body[at + 1] !== LF) return null;
    const next = indexOf(body, between, at);
    const part = next < 0 ? null : partOf(body.slice(at + 2, next));
    if (part === null) return null;
    parts.push(part);
    at = next + between.length;
  }
}

/** Clients end a form with or without a last line break. */
const isEnd = (rest: Uint8Array) => rest.length === 0 || (rest.length === 2 && rest[0] === CR && rest[1] === LF);
