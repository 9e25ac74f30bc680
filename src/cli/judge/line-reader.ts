import type { LineJudge } from "../../core/trace/judgement.ts";
import { JsonLines, textOf } from "./json-lines.ts";

/** Bytes that are decoded and taken apart at once: about what stays in the processor's cache. */
const PIECE_BYTES = 65_536;
/** Longest line that is read; a longer one is malformed and not kept. */
const LINE_MAX_BYTES = 1_048_576;
const NEWLINE = 10;
const OBJECT = 123;
const BYTE_ORDER_MARK = "\ufeff";
const NOTHING = Buffer.alloc(0);

/** What a line is: one JSON value, or text that the judge takes apart itself. */
export type LineKind = "json" | "text";

/**
 * Splits bytes into lines and hands them on, blank ones left out. The text they lie in is decoded once, and its lines
 * are parsed together where that tells the same as parsing each alone. How the bytes are cut into chunks changes
 * nothing.
 */
export class LineReader {
  readonly #judge: Pick<LineJudge, "take" | "refuse">;
  readonly #isJson: boolean;
  readonly #jsonLines = new JsonLines();
  /** Pieces of a line whose newline has not come yet, and their length together. */
  #begun: Buffer[] = [];
  #begunBytes = 0;
  /** Physical lines read so far. */
  #lines = 0;
  #isDone = false;

  constructor(judge: Pick<LineJudge, "take" | "refuse">, kind: LineKind = "json") {
    this.#judge = judge;
    this.#isJson = kind === "json";
  }

  /** Reads the next bytes. True when the judge has its answer and nothing more needs to be read. */
  push(chunk: Uint8Array): boolean {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let from = 0; from < bytes.length && !this.#isDone; from += PIECE_BYTES) {
      this.#add(bytes.subarray(from, from + PIECE_BYTES));
    }
    return this.#isDone;
  }

  /** Reads the last line when no newline ends it. */
  end(): void {
    if (!this.#isDone && this.#begunBytes > 0) this.#endLine(NOTHING);
  }

  #add(piece: Buffer): void {
    const last = piece.lastIndexOf(NEWLINE);
    let start = 0;
    if (last >= 0 && this.#begunBytes > 0) {
      start = piece.indexOf(NEWLINE) + 1;
      this.#endLine(piece.subarray(0, start - 1));
    }
    if (start <= last) this.#readLines(piece.subarray(start, last));
    if (last + 1 < piece.length) this.#begin(piece.subarray(last + 1));
  }

  /** Of a line that is too long nothing is kept but its length. */
  #begin(piece: Buffer): void {
    this.#begunBytes += piece.length;
    if (this.#begunBytes > LINE_MAX_BYTES) this.#begun = [];
    else this.#begun.push(Buffer.from(piece));
  }

  #endLine(rest: Buffer): void {
    const isTooLong = this.#begunBytes + rest.length > LINE_MAX_BYTES;
    const text = isTooLong ? "" : textOf(Buffer.concat([...this.#begun, rest]));
    this.#begun = [];
    this.#begunBytes = 0;
    if (isTooLong) this.#refuse(`the line is longer than ${LINE_MAX_BYTES} bytes`);
    else this.#readLine(text);
  }

  #readLines(bytes: Buffer): void {
    const values = this.#isJson ? this.#jsonLines.parseTogether(bytes) : null;
    if (values === null) return this.#readEach(textOf(bytes));
    for (let i = 0; i < values.length && !this.#isDone; i++) this.#isDone = this.#judge.take(values[i], ++this.#lines);
  }

  #readEach(text: string): void {
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0 && !this.#isDone; end = text.indexOf("\n", start)) {
      this.#readLine(text.slice(start, end));
      start = end + 1;
    }
    if (!this.#isDone) this.#readLine(text.slice(start));
  }

  #readLine(physical: string): void {
    const line = this.#lines === 0 && physical.startsWith(BYTE_ORDER_MARK) ? physical.slice(1) : physical;
    if (line.charCodeAt(0) !== OBJECT && line.trim() === "") this.#lines++;
    else if (this.#isJson) this.#parse(line);
    else this.#isDone = this.#judge.take(line.endsWith("\r") ? line.slice(0, -1) : line, ++this.#lines);
  }

  #parse(line: string): void {
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
