import { isAscii } from "node:buffer";

const NEWLINE = 10;
const COMMA = 44;
const LIST = 91;
const LIST_END = 93;
const OBJECT = 123;

/** Plain ASCII, the usual case, needs no decoding. */
export function textOf(bytes: Buffer): string {
  return bytes.toString(isAscii(bytes) ? "latin1" : "utf8");
}

/** Parses lines as one list, which is faster than each alone. One joiner, one text at a time: it keeps its bytes. */
export class JsonLines {
  #list = Buffer.alloc(0);
  /** Where the lines after the first one begin, in the bytes given. */
  readonly #starts: number[] = [];
  /** Until the first line that is malformed, others of which are likely to follow. */
  #isTogether = true;

  /**
   * Values of the lines, or null when each has to be parsed alone. Malformed lines never make a value together: the
   * newlines stay, which no string may hold, and each line opens an object, before which a comma may stand in a list
   * only, of which there is no other one. What holds two values in one line is told by the count.
   */
  parseTogether(bytes: Buffer): readonly unknown[] | null {
    if (!this.#isTogether || bytes.includes(LIST)) return null;
    const lines = this.#findLines(bytes);
    if (lines === 0) return null;
    const values = listOf(textOf(this.#join(bytes, lines)));
    this.#isTogether = values?.length === lines;
    return this.#isTogether ? values : null;
  }

  /** How many lines there are; 0 when one of them opens no object. */
  #findLines(bytes: Buffer): number {
    let lines = 0;
    for (let start = 0; ; ) {
      if (bytes[start] !== OBJECT) return 0;
      const newline = bytes.indexOf(NEWLINE, start);
      if (newline < 0) return lines + 1;
      start = newline + 1;
      this.#starts[lines++] = start;
    }
  }

  /** The lines as one list: each moves behind the commas before it, the last one first. */
  #join(bytes: Buffer, lines: number): Buffer {
    const commas = lines - 1;
    const length = bytes.length + commas + 2;
    if (this.#list.length < length) this.#list = Buffer.allocUnsafe(2 * length);
    const list = this.#list;
    list[0] = LIST;
    list.set(bytes, 1);
    list[length - 1] = LIST_END;
    for (let comma = commas, end = bytes.length; comma > 0; comma--) {
      const start = this.#starts[comma - 1] as number;
      const to = start + comma + 1;
      list.copyWithin(to, start + 1, end + 1);
      list[to - 1] = NEWLINE;
      list[to - 2] = COMMA;
      end = start - 1;
    }
    return list.subarray(0, length);
  }
}

function listOf(text: string): readonly unknown[] | null {
  try {
    return JSON.parse(text) as unknown[]; // It begins and ends as a list.
  } catch {
    return null;
  }
}
