import { isAscii } from "node:buffer";
import type { LineJudge } from "../../core/trace/judgement.ts";

/** Lines parsed by one call of the JSON parser: about what stays in the processor's cache. */
const BATCH_BYTES = 65_536;
/** Longest line that is read; a longer one is malformed and not kept. */
const LINE_MAX_BYTES = 1_048_576;
const NEWLINE = 10;
const COMMA = 44;
const OPEN = 91;
const OBJECT = 123;
const CLOSE = 93;
const BYTE_ORDER_MARK = 0xfeff;

/**
 * Splits bytes into lines and hands their JSON values on. Many lines are parsed at once, as the array they become when
 * newlines are commas; when that is not sure to be one value a line, each line is parsed alone, so that every malformed
 * one is counted where it stands. How the bytes are cut into chunks changes nothing.
 */
export class LineReader {
  readonly #judge: Pick<LineJudge, "take" | "refuse">;
  /** `[` and what is not parsed yet. */
  #bytes = Buffer.allocUnsafe(4 * BATCH_BYTES);
  #end = 1;
  /** Places of the newlines among them. */
  readonly #newlines = new Int32Array(BATCH_BYTES);
  /** Physical lines parsed so far. */
  #lines = 0;
  /** Within a line that is too long. */
  #isSkipping = false;
  #isDone = false;

  constructor(judge: Pick<LineJudge, "take" | "refuse">) {
    this.#judge = judge;
    this.#bytes[0] = OPEN;
  }

  /** Reads the next bytes. True when the judge has its answer and nothing more needs to be read. */
  push(chunk: Uint8Array): boolean {
    for (let from = 0; from < chunk.length && !this.#isDone; from += BATCH_BYTES) {
      this.#add(chunk.subarray(from, from + BATCH_BYTES));
    }
    return this.#isDone;
  }

  /** Reads the last line when no newline ends it. */
  end(): void {
    if (this.#isDone || this.#end === 1) return;
    this.#alone(1, this.#end);
  }

  #add(piece: Uint8Array): void {
    const start = this.#isSkipping ? piece.indexOf(NEWLINE) + 1 : 0;
    if (this.#isSkipping && start === 0) return;
    this.#isSkipping = false;
    const from = this.#end;
    this.#append(start === 0 ? piece : piece.subarray(start));
    const count = this.#findNewlines(from);
    if (count > 0) {
      this.#parse(count);
      const last = this.#newlines[count - 1] as number;
      this.#bytes.copyWithin(1, last + 1, this.#end);
      this.#end -= last;
    }
    if (this.#end > LINE_MAX_BYTES && !this.#isDone) {
      this.#refuse(`the line is longer than ${LINE_MAX_BYTES} bytes`);
      this.#end = 1;
      this.#isSkipping = true;
    }
  }

  #append(piece: Uint8Array): void {
    if (this.#end + piece.length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(2 * (this.#end + piece.length));
      this.#bytes.copy(grown, 0, 0, this.#end);
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#end);
    this.#end += piece.length;
  }

  #findNewlines(from: number): number {
    const bytes = this.#bytes.subarray(0, this.#end);
    let count = 0;
    for (let at = bytes.indexOf(NEWLINE, from); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
      this.#newlines[count++] = at;
    }
    return count;
  }

  #parse(count: number): void {
    const values = this.#areApart(count) ? this.#parseTogether(count) : null;
    if (values === null) {
      this.#parseEach(count);
      return;
    }
    for (let i = 0; i < count && !this.#isDone; i++) this.#isDone = this.#judge.take(values[i], ++this.#lines);
  }

  /**
   * Whether malformed lines could never grow together into well-formed values. A comma that joins two lines continues
   * an object only before a quote and a list before anything: so every line opens an object, and none has a list. Lists
   * are rare in events; lines with one are parsed one by one.
   */
  #areApart(count: number): boolean {
    const bytes = this.#bytes;
    const last = this.#newlines[count - 1] as number;
    const list = bytes.indexOf(OPEN, 1);
    if (list >= 0 && list < last) return false;
    for (let i = 0, start = 1; i < count; i++) {
      if (bytes[start] !== OBJECT) return false;
      start = (this.#newlines[i] as number) + 1;
    }
    return true;
  }

  /** Values of the first `count` lines; null when they are not one value each. */
  #parseTogether(count: number): readonly unknown[] | null {
    const bytes = this.#bytes;
    const last = this.#newlines[count - 1] as number;
    for (let i = 0; i < count - 1; i++) bytes[this.#newlines[i] as number] = COMMA;
    bytes[last] = CLOSE;
    try {
      const values: unknown = JSON.parse(textOf(bytes, 0, last + 1));
      return Array.isArray(values) && values.length === count ? values : null;
    } catch {
      return null;
    }
  }

  #parseEach(count: number): void {
    let start = 1;
    for (let i = 0; i < count && !this.#isDone; i++) {
      const end = this.#newlines[i] as number;
      this.#alone(start, end);
      start = end + 1;
    }
  }

  #alone(start: number, end: number): void {
    const text = textOf(this.#bytes, start, end);
    const line = this.#lines === 0 && text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
    if (line.trim() === "") {
      this.#lines++;
      return;
    }
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      this.#refuse((error as Error).message);
      return;
    }
    this.#isDone = this.#judge.take(value, ++this.#lines);
  }

  #refuse(reason: string): void {
    this.#isDone = this.#judge.refuse(reason, ++this.#lines);
  }
}

/** Plain ASCII, the usual case, needs no decoding. */
function textOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString(isAscii(bytes.subarray(start, end)) ? "latin1" : "utf8", start, end);
}
