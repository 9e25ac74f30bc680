import type { ErrorClass } from "../core/window/window.ts";
import type { ShadowRoute } from "./shadow-route.ts";

/** How stable answered the request of a copy. */
export interface StableAnswer {
  readonly status: number;
  readonly errorClass: ErrorClass | null;
  readonly isCold: boolean;
}

/**
 * A request that was chosen to be copied, while stable answers it. What its user sends is noted on the way; nothing
 * here is waited for.
 */
export class ShadowCopy {
  readonly route: ShadowRoute;
  readonly method: string;
  readonly path: string;
  /** Name, value, …; only what may be in a copy. */
  readonly headers: readonly string[];
  /** Bucket hash of the unit; null without one. */
  readonly unitHash: number | null;
  /** Most bytes of a body that are kept for it. */
  readonly bytesMax: number;
  /** When stable was asked and when it had answered, monotonic; 0 until then. */
  askedMs = 0;
  answeredMs = 0;
  /** The user read more slowly than stable answered: how long that took is not stable's time. */
  hasWaited = false;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isWhole: boolean;

  /** @param bytesMax 0 for a request without a body */
  constructor(route: ShadowRoute, request: Omit<CopiedRequest, "route">) {
    this.route = route;
    this.method = request.method;
    this.path = request.path;
    this.headers = request.headers;
    this.unitHash = request.unitHash;
    this.bytesMax = request.bytesMax;
    this.#isWhole = request.bytesMax === 0;
  }

  /** A piece of the user's body. One that is longer than allowed is forgotten at once. */
  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.bytesMax) this.#chunks = [];
    else this.#chunks.push(Buffer.from(chunk)); // The chunk itself keeps all of what its connection read alive.
  }

  /** The user's body is complete. */
  end(): void {
    this.#isWhole = this.#bytes <= this.bytesMax;
  }

  /** The whole body; null where it is not known whole. */
  body(): Buffer | null {
    return this.#isWhole ? Buffer.concat(this.#chunks) : null;
  }
}

export interface CopiedRequest {
  readonly route: ShadowRoute;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly unitHash: number | null;
  readonly bytesMax: number;
}
