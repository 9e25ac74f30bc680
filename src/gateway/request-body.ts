import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { ShadowCopy } from "./shadow-copy.ts";

/** The client sent more than the gateway takes. */
export class BodyTooLargeError extends Error {
  readonly code = "BODY_TOO_LARGE";
}

/**
 * The body of a request as the HTTP client of the upstream side may have it: it reads on when asked, and when that
 * client destroys it, the connection to our own client lives on and can still carry the answer.
 */
export class RequestBody extends Readable {
  readonly #req: IncomingMessage;
  #left: number;
  readonly #copy: ShadowCopy | null;
  #isAttached = false;

  /** @param copy is told what the client sends; null for nearly all requests */
  constructor(req: IncomingMessage, bytesMax: number, copy: ShadowCopy | null) {
    super({ highWaterMark: 65_536 });
    this.#req = req;
    this.#left = bytesMax;
    this.#copy = copy;
  }

  override _read(): void {
    if (!this.#isAttached) this.#attach();
    this.#req.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#req.resume(); // What is still to come is read and thrown away, within the time a request may take.
    done(error);
  }

  #attach(): void {
    this.#isAttached = true;
    const req = this.#req;
    req.on("data", (chunk: Buffer) => {
      if (this.destroyed) return;
      this.#left -= chunk.length;
      this.#copy?.add(chunk);
      if (this.#left < 0) this.destroy(new BodyTooLargeError("body too large"));
      else if (!this.push(chunk)) req.pause();
    });
    req.on("end", () => {
      if (this.destroyed) return;
      this.#copy?.end();
      this.push(null);
    });
    req.on("error", (error) => this.destroy(error)); // The client went away in the middle.
  }
}

/** A short body of known length, collected to be sent in one piece. */
export class GatheredBody {
  #chunks: Buffer[] | null = null;
  #bytesLeft: number;

  constructor(bytes: number) {
    this.#bytesLeft = bytes;
  }

  /** The whole body once its last byte is here, null before. */
  add(chunk: Buffer): Buffer | null {
    this.#bytesLeft -= chunk.length;
    if (this.#chunks === null) {
      if (this.#bytesLeft <= 0) return chunk; // The usual case copies nothing.
      this.#chunks = [chunk];
      return null;
    }
    this.#chunks.push(chunk);
    return this.#bytesLeft <= 0 ? Buffer.concat(this.#chunks) : null;
  }
}
