import { createWriteStream } from "node:fs";
import { stickyLabel } from "../core/assign/bucket.ts";
import type { ServiceEvent } from "../core/window/service-event.ts";
import { NOTHING_SEEN, type SeenAnswer } from "../core/window/told.ts";
import type { ErrorClass } from "../core/window/window.ts";
import type { Clock } from "../ports/clock.ts";
import type { ArmRoute } from "./routing-plan.ts";

const FLUSH_MS = 200;
/** Characters that may wait to be written; beyond it events are dropped and counted. */
const WAITING_MAX = 4_194_304;

/** One request that ended. Holds no unit, path, header or body of the client. */
export interface RequestEvent {
  readonly plan: ArmRoute;
  readonly hash: number | null;
  readonly isProbe: boolean;
  readonly edgePop: string | null;
  /** What the service said of its answer; null when it said nothing. */
  readonly said: ServiceEvent | null;
  readonly seen: SeenAnswer;
  readonly isCold: boolean;
  /** 499: the client went away before the answer was complete. */
  readonly status: number;
  readonly errorClass: ErrorClass | null;
  readonly ttfbMs: number;
  /** To the first piece of the body; 0 where there was none. */
  readonly tusableMs: number;
  readonly tfinalMs: number;
}

/** A copy that the candidate answered for nobody. */
export interface ShadowEvent {
  readonly plan: ArmRoute;
  readonly hash: number | null;
  readonly id: string;
  /** Equal for equal requests. */
  readonly requestHash: string;
  readonly stableStatus: number;
  /** 0: it gave no answer. */
  readonly status: number;
  readonly errorClass: ErrorClass | null;
  readonly isCold: boolean;
  readonly ms: number;
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
  readonly #region: string | null;
  readonly #clock: Clock;
  readonly #sink: Sink;
  readonly #closed = new AbortController();
  #lines = "";
  #dropped = 0;

  /** @param region where the gateway stands; null where nobody says */
  constructor(to: string | ((lines: string) => void), service: string, region: string | null, clock: Clock) {
    this.#service = service;
    this.#region = region;
    this.#clock = clock;
    this.#sink = typeof to === "string" ? fileSink(to) : { write: to, waiting: () => 0, close: async () => {} };
    void this.#flushNowAndThen();
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(event: RequestEvent): void {
    if (this.#hasRoom()) this.#lines += `${JSON.stringify(this.#wide(event))}\n`;
  }

  /** A copy, under arm `shadow`, with the tags that find its other half. */
  addShadow({ id, requestHash, stableStatus, ms, ...answer }: ShadowEvent): void {
    if (!this.#hasRoom()) return;
    const { revision = null, indexHash = null } = answer.plan.facts;
    const times = { ttfbMs: ms, tusableMs: 0, tfinalMs: ms };
    const wide = this.#wide({ ...answer, ...times, isProbe: false, edgePop: null, said: null, seen: NOTHING_SEEN });
    const tags = { shadow_id: id, req_hash: requestHash, model_rev: revision, index_hash: indexHash };
    const line = { ...wide, arm: "shadow", ...tags, stable_status: stableStatus };
    this.#lines += `${JSON.stringify(line)}\n`;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#flush();
    await this.#sink.close();
  }

  #hasRoom(): boolean {
    if (this.#lines.length + this.#sink.waiting() <= WAITING_MAX) return true;
    this.#dropped++;
    return false;
  }

  #wide(event: RequestEvent): Record<string, unknown> {
    const { errorClass, hash, plan } = event;
    const [stage, family, code] = errorClass === null ? [] : errorClass.split("|");
    return {
      ts: new Date(this.#clock.wallMs()).toISOString(),
      route: this.#service,
      release_id: plan.releaseId,
      revision: plan.facts.revision ?? null,
      variant: plan.arm,
      arm: plan.arm,
      sticky: hash === null ? null : stickyLabel(hash),
      region: this.#region,
      edge_pop: event.edgePop,
      cold_start: event.isCold,
      probe: event.isProbe,
      status: event.status,
      ...(errorClass === null ? {} : { error_class: { stage, family, code } }),
      timeout_stage: family === "timeout" ? stage : null,
      ...wordsOf(event),
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

/** What the service said; where it said nothing, what is known of its arm. Null where nobody knows. */
function wordsOf(event: RequestEvent): Record<string, unknown> {
  const { plan, said, ttfbMs, tusableMs, tfinalMs } = event;
  const { indexHash = null, metric = null, analyzer = null, deltaS, coverage, lambdaState } = plan.facts;
  const { latency_ms, retrieval, cache, egress, queue, tools } = said ?? {};
  const measured = { ttfb: round(ttfbMs), tusable: tusableMs === 0 ? null : round(tusableMs), tfinal: round(tfinalMs) };
  return {
    latency_ms: { ...measured, retrieve: null, rerank: null, reason: null, ...latency_ms },
    retrieval: {
      k: null,
      metric,
      analyzer,
      index_hash: indexHash,
      delta_s_q_r: deltaS ?? null,
      delta_s_r_anchor: null,
      coverage: coverage ?? null,
      lambda_state: lambdaState ?? "unobserved",
      ...retrieval,
    },
    cache: { prefix: plan.cachePrefix, hit: null, written_by: null, ...cache },
    egress: { webhook: null, tries: null, dedupe_key: null, ...egress },
    queue: { enq: null, deq: null, backlog: null, age_p95_ms: null, ...queue },
    ...(tools === undefined ? {} : { tools }),
    ...answerOf(event),
  };
}

/** What the answer was told and seen to be; absent where nobody knows. */
function answerOf({ said, seen: { isAbandoned, isEmpty } }: RequestEvent): Record<string, unknown> {
  const { usage, answer, feedback } = said ?? {};
  const isKnown = isEmpty !== null || answer !== undefined;
  return {
    ...(usage === undefined ? {} : { usage }),
    ...(isKnown ? { answer: { empty: isEmpty, ...answer } } : {}),
    ...(feedback === undefined ? {} : { feedback }),
    ...(isAbandoned === null ? {} : { stream: { abandoned: isAbandoned } }),
  };
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
