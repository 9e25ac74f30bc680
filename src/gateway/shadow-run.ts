import type { Dispatcher } from "undici";
import { errorClassOf, errorClassOfStatus } from "../core/window/error-class.ts";
import type { ErrorClass } from "../core/window/window.ts";
import { type Progress, upstreamFailure } from "./failure.ts";
import { answerHeaders } from "./response-headers.ts";

/** How the candidate answered a copy; its body was read to the end and thrown away. */
export interface ShadowAnswer {
  readonly status: number;
  readonly errorClass: ErrorClass | null;
  readonly isCold: boolean;
  readonly ms: number;
}

/** One copy on its way to the candidate. Its answer reaches nobody. */
export class ShadowRun implements Dispatcher.DispatchHandler {
  readonly startMs: number;
  readonly #now: () => number;
  readonly #onEnd: (run: ShadowRun, answer: ShadowAnswer | null) => void;
  #progress: Progress = "connect";
  #abort: (() => void) | null = null;
  #status = 0;
  #isCold = false;
  #isOver = false;

  /** @param onEnd called once; null where nothing was learnt of the candidate */
  constructor(now: () => number, onEnd: (run: ShadowRun, answer: ShadowAnswer | null) => void) {
    this.startMs = now();
    this.#now = now;
    this.#onEnd = onEnd;
  }

  onConnect(abort: () => void): void {
    if (this.#isOver) return abort();
    this.#abort = abort;
    this.#progress = "headers";
  }

  onHeaders(status: number, raw: Buffer[]): boolean {
    if (status < 200) return true;
    const { isCold, contentLength, isChunked } = answerHeaders(raw, status, []);
    this.#progress = "body";
    this.#status = status;
    this.#isCold = isCold;
    // The HTTP client would wait for a body that such an answer announces and never has.
    if ((status === 204 || status === 304) && (contentLength > 0 || isChunked)) this.#endWhole();
    return true;
  }

  onData(): boolean {
    return true;
  }

  onComplete(): void {
    this.#end(errorClassOfStatus(this.#status));
  }

  onError(error: unknown): void {
    const failure = upstreamFailure(error, this.#progress);
    if (failure.isOurs || failure.isUnsendable) this.drop();
    else this.#end(failure.errorClass);
  }

  /** Its time is over. */
  expire(): void {
    this.#end(errorClassOf(this.#progress, "timeout", "ETIMEDOUT"));
    this.#abort?.();
  }

  /** Ends it as if it had not been. */
  drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abort?.();
    this.#onEnd(this, null);
  }

  #endWhole(): void {
    this.#end(errorClassOfStatus(this.#status));
    this.#abort?.();
  }

  #end(errorClass: ErrorClass | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const ms = this.#now() - this.startMs;
    this.#onEnd(this, { status: this.#status, errorClass, isCold: this.#isCold, ms });
  }
}
