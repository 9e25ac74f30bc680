import { Readable } from "node:stream";
import { createParser } from "eventsource-parser";
import { Agent, type Dispatcher, request } from "undici";
import type { Admission } from "../core/routing/admit.ts";
import { DOCUMENT_LIMITS, DOCUMENT_VERSION, type RoutingDocument, VERSION_HEADER } from "../core/routing/document.ts";
import type { LeaseGrant, PlaneReport } from "../core/routing/lease.ts";
import type { TelemetryWindow } from "../core/window/window.ts";
import { readText } from "../ports/bounded-body.ts";
import type { Clock } from "../ports/clock.ts";
import type { LeaseAsk } from "../plane/lease.ts";
import { WindowQueue } from "./window-queue.ts";

const POLL_MS = 1_000;
const PUSH_MS = 250;
/** A push that failed is tried again after this, doubling up to it. */
const PUSH_PAUSE_MAX_MS = 2_000;
const PUSH_TIMEOUT_MS = 5_000;
/** A stream that says nothing, not even a heartbeat, for this long is taken for dead. */
const STREAM_SILENCE_MS = 30_000;
const WINDOWS_PER_PUSH = 200;
const CHARS_PER_PUSH = 1_000_000;
/** Answers that mean the windows themselves are wrong; sending them again cannot help. */
const REFUSED_FOR_GOOD: ReadonlySet<number> = new Set([400, 413, 422]);

/** What the link needs of the gateway. */
export interface ControlTarget {
  readonly service: string;
  /** Name in telemetry of this start of the gateway. */
  readonly gatewayId: string;
  document(): RoutingDocument;
  /** Decides on a document that arrived as JSON text. */
  offer(text: string): Promise<Admission>;
  /** What a push says of this data plane, and how its answer is heard. */
  report(isLeaving: boolean): { readonly report: PlaneReport; readonly ask: LeaseAsk };
  /** Takes a lease out of an answer; says why it is none. */
  hear(ask: LeaseAsk, grant: LeaseGrant): Promise<string | null>;
  /** Closes the running window, which comes back through `add`. */
  cut(): void;
  /** Whether what is served is known at this moment; nothing is told while it is not. */
  isSeen(): boolean;
  log(line: string): void;
}

/** How the link does, for `stats()`. */
export interface ControlStats {
  readonly following: "stream" | "poll" | "nothing";
  readonly windowsWaiting: number;
  readonly windowsDropped: number;
}

/**
 * Follows the controller: documents come in, windows go out. When the controller is away the last good document stays
 * and windows wait (at most ten minutes of them); nothing here ever makes traffic wait.
 */
export class ControlLink {
  readonly #target: ControlTarget;
  readonly #clock: Clock;
  #base: string;
  #headers: Record<string, string>;
  readonly #agent = new Agent({ connections: 4, connect: { timeout: 2_000 } });
  readonly #stopped = new AbortController();
  readonly #queue = new WindowQueue();
  #following: ControlStats["following"] = "nothing";
  #etag: string | null = null;
  /** Version the controller spoke last; until it has spoken, what every version understands is sent. */
  #controllerVersion = 1;
  #leaseRefusal: string | null = null;
  #pushing: Promise<void> | null = null;
  #pauseMs = 0;
  #loops: Promise<void>[] = [];

  constructor(target: ControlTarget, clock: Clock, controllerUrl: string, token: string | undefined) {
    this.#target = target;
    this.#clock = clock;
    this.#base = baseOf(controllerUrl);
    this.#headers = headersOf(token);
  }

  /**
   * The controller was started again at another address: what waits is sent there, and the next document comes from it.
   */
  moveTo(controllerUrl: string, token: string): void {
    this.#base = baseOf(controllerUrl);
    this.#headers = headersOf(token);
    this.#etag = null;
  }

  get stats(): ControlStats {
    return { following: this.#following, windowsWaiting: this.#queue.length, windowsDropped: this.#queue.dropped };
  }

  start(): void {
    this.#loops = [this.#follow(), this.#push()];
  }

  /** Takes a window that was closed; it goes out with the next push. */
  add(window: TelemetryWindow): void {
    this.#queue.add(window);
  }

  /** Pushes at once: the controller waits to hear what is adopted now. */
  hurry(): void {
    if (this.#pauseMs === 0 && !this.#stopped.signal.aborted) this.#startPush();
  }

  /** Stops following, pushes what waits once more and ends. */
  async close(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#loops);
    this.#target.cut();
    await this.#send(true);
    await this.#agent.destroy();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const isStreamed = await this.#stream().catch(() => false);
      this.#following = "nothing";
      if (signal.aborted) return;
      if (!isStreamed) await this.#poll().catch(() => {});
      await this.#clock.sleep(POLL_MS, signal);
    }
  }

  /** Follows the event stream to its end. False when there was none. */
  async #stream(): Promise<boolean> {
    const { statusCode, headers, body } = await this.#get("text/event-stream", {}, STREAM_SILENCE_MS);
    this.#heardVersion(headers);
    if (statusCode !== 200 || !String(headers["content-type"]).startsWith("text/event-stream")) {
      await body.dump();
      return false;
    }
    this.#following = "stream";
    let arrived: string[] = [];
    const parser = createParser({
      maxBufferSize: 4 * DOCUMENT_LIMITS.bytes,
      onEvent: ({ event, data }) => {
        if (event === "routing") arrived.push(data);
      },
    });
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body) {
        parser.feed(decoder.decode(chunk as Buffer, { stream: true }));
        // One after another, and nothing is read meanwhile: each may cost the check of a signature.
        for (const text of arrived) await this.#target.offer(text);
        arrived = [];
      }
    } catch {
      // The stream broke; the loop opens the next one.
    }
    return true;
  }

  async #poll(): Promise<void> {
    const headers: Record<string, string> = this.#etag === null ? {} : { "if-none-match": this.#etag };
    const answer = await this.#get("application/json", headers, PUSH_TIMEOUT_MS);
    this.#following = "poll";
    if (answer.statusCode !== 200) return void (await answer.body.dump());
    await this.#target.offer(await textOf(answer.body, DOCUMENT_LIMITS.bytes, this.#clock.timeout(PUSH_TIMEOUT_MS)));
    // Known from here on: one that could not be decided on is asked for again.
    this.#etag = typeof answer.headers.etag === "string" ? answer.headers.etag : null;
  }

  #get(accept: string, headers: Record<string, string>, bodyTimeout: number): Promise<Dispatcher.ResponseData> {
    return request(`${this.#base}/v1/routing/${encodeURIComponent(this.#target.service)}`, {
      dispatcher: this.#agent,
      headers: { ...this.#headers, ...headers, accept },
      headersTimeout: PUSH_TIMEOUT_MS,
      bodyTimeout,
      signal: this.#stopped.signal,
    });
  }

  async #push(): Promise<void> {
    const { signal } = this.#stopped;
    let waitedMs = 0;
    while (!signal.aborted) {
      await this.#clock.sleep(PUSH_MS, signal);
      if (signal.aborted) break;
      this.#target.cut(); // Also when nothing happened: an empty window says that we live.
      waitedMs += PUSH_MS;
      if (waitedMs < this.#pauseMs) continue;
      waitedMs = 0;
      this.#startPush();
    }
    await this.#pushing;
  }

  /** One push at a time: what closes meanwhile goes with the next one. */
  #startPush(): void {
    this.#pushing ??= this.#send().finally(() => {
      this.#pushing = null;
    });
  }

  /**
   * Sends the oldest windows. What is not acknowledged is sent again, in order, by the next push. The answer may bring
   * a lease, counted from here.
   */
  async #send(isLeaving = false): Promise<void> {
    if (!this.#target.isSeen()) return; // The controller takes silence for what it is.
    const { windows, json } = this.#queue.oldest(WINDOWS_PER_PUSH, CHARS_PER_PUSH);
    const last = windows.at(-1);
    if (last === undefined) return;
    const { gatewayId } = this.#target;
    try {
      const { report, ask } = this.#target.report(isLeaving);
      const { epoch, seq, lease } = ask.document;
      const isKnown = this.#controllerVersion >= DOCUMENT_VERSION;
      const plane = isKnown ? `,"plane":${JSON.stringify(report)}` : "";
      const timeoutMs = Math.min(PUSH_TIMEOUT_MS, (lease?.ms ?? Number.POSITIVE_INFINITY) / 3);
      const { statusCode, headers, body } = await request(`${this.#base}/v1/telemetry`, {
        dispatcher: this.#agent,
        method: "POST",
        headers: {
          ...this.#headers,
          "content-type": "application/json",
          "idempotency-key": `${gatewayId}.${last.seq}`,
        },
        body: `{"gateway_id":${JSON.stringify(gatewayId)},"windows":${json},"adopted":{"epoch":${epoch},"seq":${seq}}${plane}}`,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      const text = await textOf(body, 65_536, this.#clock.timeout(PUSH_TIMEOUT_MS));
      this.#heardVersion(headers);
      const wasMisread = isKnown && this.#controllerVersion < DOCUMENT_VERSION; // An older one took its place.
      if (REFUSED_FOR_GOOD.has(statusCode) && !wasMisread) {
        this.#queue.drop(last.seq);
        this.#target.log(
          `the controller refused ${windows.length} telemetry windows (${statusCode}); they are dropped`,
        );
      } else if (statusCode < 200 || statusCode > 299) throw new Error(`status ${statusCode}`);
      else await this.#taken(text, ask);
      if (this.#pauseMs > 0) this.#target.log(`the controller takes telemetry again`);
      this.#pauseMs = 0;
    } catch (error) {
      if (this.#pauseMs === 0) this.#target.log(`telemetry waits, the controller does not take it: ${reasonOf(error)}`);
      this.#pauseMs = Math.min(PUSH_PAUSE_MAX_MS, Math.max(PUSH_MS, this.#pauseMs * 2));
    }
  }

  /** The controller has the windows; its answer may bring a lease. */
  async #taken(text: string, ask: LeaseAsk): Promise<void> {
    const answer = JSON.parse(text) as { acked?: unknown; lease?: LeaseGrant | null } | null;
    this.#queue.acknowledge(ackedIn(answer?.acked));
    const grant = answer?.lease ?? null;
    if (grant === null) return;
    const refusal = await this.#target.hear(ask, grant);
    if (refusal !== null && refusal !== this.#leaseRefusal) {
      this.#target.log(`an answer gave no lease on the candidate's share: ${refusal}`);
    }
    this.#leaseRefusal = refusal;
  }

  #heardVersion(headers: Dispatcher.ResponseData["headers"]): void {
    const version = Number(headers[VERSION_HEADER] ?? 1);
    this.#controllerVersion = Number.isInteger(version) ? version : 1;
  }
}

/** What went wrong, in words for whoever reads the gateway's log. */
function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT")
    return "it took the connection and gave no answer";
  return message === undefined || message === "" ? (code ?? String(error)) : message;
}

function baseOf(controllerUrl: string): string {
  return controllerUrl.replace(/\/$/, "");
}

function headersOf(token: string | undefined): Record<string, string> {
  const version = { [VERSION_HEADER]: String(DOCUMENT_VERSION) };
  return token === undefined ? version : { ...version, authorization: `Bearer ${token}` };
}

/** Highest acknowledged sequence number; −1 when the answer names none. */
function ackedIn(acked: unknown): number {
  return typeof acked === "number" && Number.isInteger(acked) ? acked : -1;
}

/** The body as text; throws when it is longer than `bytesMax` or does not end in time. */
async function textOf(body: Dispatcher.ResponseData["body"], bytesMax: number, until: AbortSignal): Promise<string> {
  const stream = Readable.toWeb(body) as ReadableStream<Uint8Array>;
  const { kind, text } = await readText(stream, { bytesMax, until });
  if (kind !== "whole") throw new Error(`answer ${kind}: expected at most ${bytesMax} bytes in ${PUSH_TIMEOUT_MS} ms`);
  return text;
}
