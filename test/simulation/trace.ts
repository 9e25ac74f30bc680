import { createHash } from "node:crypto";

/** Events that a failing seed is told with. */
const KEPT = 60;

/** What happened, in order: a digest of all of it, and the last of it as text. */
export class Trace {
  readonly #digest = createHash("sha256");
  readonly #last: string[] = [];
  #count = 0;

  note(atMs: number, text: string): void {
    const line = `${atMs.toFixed(0).padStart(6)} ${text}`;
    this.#digest.update(line).update("\n");
    this.#count++;
    this.#last.push(line);
    if (this.#last.length > KEPT) this.#last.shift();
  }

  get count(): number {
    return this.#count;
  }

  get last(): readonly string[] {
    return this.#last;
  }

  /** Equal for equal traces; asked once, at the end. */
  digest(): string {
    return this.#digest.digest("hex").slice(0, 16);
  }
}
