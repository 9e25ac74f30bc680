import type { LineJudge } from "../../core/trace/judgement.ts";

/** Longest line that is read; a longer one is malformed and not kept. */
const LINE_MAX_BYTES = 1_048_576;

/** Splits bytes into lines of text and hands them on, blank ones left out. How the bytes are cut changes nothing. */
export class TextLineReader {
  readonly #judge: Pick<LineJudge, "take" | "refuse">;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #lines = 0;
  #isSkipping = false;
  #isDone = false;

  constructor(judge: Pick<LineJudge, "take" | "refuse">) {
    this.#judge = judge;
  }

  /** Reads the next bytes. True when the judge has its answer and nothing more needs to be read. */
  push(chunk: Uint8Array): boolean {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (this.#isDone) return true;
      if (this.#isSkipping) this.#isSkipping = false;
      else this.#take(line);
    }
    if (this.#rest.length > LINE_MAX_BYTES) this.#dropRest();
    return this.#isDone;
  }

  /** Reads the last line when no newline ends it. */
  end(): void {
    if (!this.#isDone && !this.#isSkipping && this.#rest !== "") this.#take(this.#rest);
  }

  #dropRest(): void {
    if (!this.#isSkipping)
      this.#isDone = this.#judge.refuse(`the line is longer than ${LINE_MAX_BYTES} bytes`, ++this.#lines);
    this.#isSkipping = true;
    this.#rest = "";
  }

  #take(line: string): void {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    this.#lines++;
    if (text.trim() !== "") this.#isDone = this.#judge.take(text, this.#lines);
  }
}
