import { createWriteStream } from "node:fs";
import type { ServingArm } from "../core/arm.ts";
import { stickyLabel } from "../core/assign/bucket.ts";
import type { ErrorClass } from "../core/window/window.ts";
import type { Clock } from "../ports/clock.ts";

const FLUSH_MS = 200;
/** Characters that may wait to be written; beyond it events are dropped and counted. */
const WAITING_MAX = 4_194_304;

/** One request that ended. Holds no unit, path, header or body of the client. */
export interface RequestEvent {
  readonly releaseId: string;
  readonly arm: ServingArm;
  readonly cachePrefix: string;
  readonly hash: number | null;
  readonly isProbe: boolean;
  readonly isCold: boolean;
  /** 499: the client went away before the answer was complete. */
  readonly status: number;
  readonly errorClass: ErrorClass | null;
  readonly ttfbMs: number;
  readonly tfinalMs: number;
}

/** Where lines go. `waiting` is what was written and is not out yet, in characters or bytes. */
interface Sink {
  write(lines: string): void;
  waiting(): number;
  close(): Promise<void>;
}

/**
 * Writes one wide event a request as NDJSON, in snake_case. It never makes traffic wait: lines are collected, and when
 * the reader is too slow events are dropped and counted.
 * @source definitions.md §10
 */
export class EventLog {
  readonly #service: string;
  readonly #clock: Clock;
  readonly #sink: Sink;
  readonly #closed = new AbortController();
  #lines = "";
  #dropped = 0;

  constructor(to: string | ((lines: string) => void), service: string, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
    this.#sink = typeof to === "string" ? fileSink(to) : { write: to, waiting: () => 0, close: async () => {} };
    void this.#flushNowAndThen();
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(event: RequestEvent): void {
    if (this.#lines.length + this.#sink.waiting() > WAITING_MAX) {
      this.#dropped++;
      return;
    }
    this.#lines += `${JSON.stringify(this.#wide(event))}\n`;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#flush();
    await this.#sink.close();
  }

  #wide(event: RequestEvent): Record<string, unknown> {
    const { errorClass, hash } = event;
    const [stage, family, code] = errorClass === null ? [] : errorClass.split("|");
    return {
      ts: new Date(this.#clock.wallMs()).toISOString(),
      route: this.#service,
      release_id: event.releaseId,
      arm: event.arm,
      sticky: hash === null ? null : stickyLabel(hash),
      cold_start: event.isCold,
      probe: event.isProbe,
      status: event.status,
      ...(errorClass === null ? {} : { error_class: { stage, family, code } }),
      latency_ms: { ttfb: round(event.ttfbMs), tfinal: round(event.tfinalMs) },
      cache: { prefix: event.cachePrefix },
    };
  }

  async #flushNowAndThen(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await this.#clock.sleep(FLUSH_MS, signal);
      this.#flush();
    }
  }

  #flush(): void {
    if (this.#lines === "") return;
    const lines = this.#lines;
    this.#lines = "";
    this.#sink.write(lines);
  }
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

/** Appends to a file. A file that cannot be written loses events, not traffic. */
function fileSink(path: string): Sink {
  const stream = createWriteStream(path, { flags: "a" });
  let isBroken = false;
  stream.on("error", () => {
    isBroken = true;
  });
  return {
    write: (lines) => void (isBroken || stream.write(lines)),
    waiting: () => (isBroken ? Number.POSITIVE_INFINITY : stream.writableLength),
    close: () => new Promise((resolve) => (isBroken ? resolve() : stream.end(() => resolve()))),
  };
}
