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
  /** Until the first line that is malformed, others of which are likely to follow. */
  #isTogether = true;

  /**
   * Values of the lines, or null when each has to be parsed alone. Malformed lines never make a value together: the
   * newlines stay, which no string may hold, and each line opens an object, before which a comma may stand in a list
   * only, of which there is no other one. What holds two values in one line is told by the count.
   */
  parseTogether(bytes: Buffer): readonly unknown[] | null {
    if (!this.#isTogether || bytes.includes(LIST)) return null;
    const lines = this.#join(bytes);
    if (lines === null) return null;
    const values = listOf(textOf(lines.list));
    this.#isTogether = values?.length === lines.count;
    return this.#isTogether ? values : null;
  }

  /** The lines with commas between, as one list; null when one of them opens no object. */
  #join(bytes: Buffer): { readonly list: Buffer; readonly count: number } | null {
    // A line has at least the byte that opens it and a newline, and gets one more.
    const bytesMax = 2 * bytes.length + 2;
    if (this.#list.length < bytesMax) this.#list = Buffer.allocUnsafe(bytesMax);
    const list = this.#list;
    list[0] = LIST;
    let end = 1;
    let count = 0;
    for (let start = 0, newline = 0; newline >= 0; start = newline + 1) {
      if (bytes[start] !== OBJECT) return null;
      count++;
      newline = bytes.indexOf(NEWLINE, start);
      end += bytes.copy(list, end, start, newline < 0 ? bytes.length : newline);
      if (newline < 0) break;
      list[end++] = COMMA;
      list[end++] = NEWLINE;
    }
    list[end++] = LIST_END;
    return { list: list.subarray(0, end), count };
  }
}

function listOf(text: string): readonly unknown[] | null {
  try {
    return JSON.parse(text) as unknown[]; // It begins and ends as a list.
  } catch {
    return null;
  }
}
