import type { IncomingMessage, ServerResponse } from "node:http";
import type { Dispatcher } from "undici";
import { errorClassOfStatus } from "../core/window/error-class.ts";
import type { ErrorClass } from "../core/window/window.ts";
import { connectionOf } from "./client-connection.ts";
import { type EndedAnswer, noteAnswer } from "./ended-answer.ts";
import type { Assignment, ExchangeContext } from "./exchange-context.ts";
import type { SlotTaker } from "./fair-slots.ts";
import { isRepeatable, ownAnswerFor, type Progress, REPLACED, upstreamFailure } from "./failure.ts";
import { holdHeaders } from "./held-headers.ts";
import { type OwnAnswer, sendOwnAnswer } from "./own-answer.ts";
import { REFUSALS } from "./refusal.ts";
import { BodyTooLargeError, GatheredBody, RequestBody } from "./request-body.ts";
import { answerHeaders, eventInTrailers } from "./response-headers.ts";
import { hearService, ONE_RETRY } from "./service-word.ts";
import type { ShadowCopy } from "./shadow-copy.ts";
import type { Behind, StalledWrite } from "./stalled-writes.ts";
import type { Upstream } from "./upstream.ts";

/** A body of known length up to this is collected and sent in one piece, which is cheaper than a stream. */
const GATHERED_BYTES = 16_384;
/** An answer up to this that came in one piece leaves in one piece with its headers. */
const SMALL_ANSWER_BYTES = 16_384;
/** What an undelivered end of a cut answer may take to leave. */
const LINGER_MS = 10_000;

/** Answers that have no body, whatever their header fields say. */
const isBodiless = (status: number) => status === 304 || status === 204;

const SATURATED: OwnAnswer = { status: 503, code: "saturated", detail: "too many requests wait for the service" };

const EXCHANGE = Symbol("exchange");
type Marked<T> = T & { [EXCHANGE]?: Exchange };

/**
 * One request on its way to an arm and the answer on its way back. It is the HTTP client's handler itself and its
 * listeners are shared functions, so that a request costs one object and no closure.
 *
 * An answer's failure belongs to the arm, a client that goes away does not. It is counted when the connection is done
 * with it, on the slot it got when it was routed, whatever documents arrived meanwhile.
 */
export class Exchange implements Dispatcher.DispatchHandler, SlotTaker, StalledWrite {
  readonly #context: ExchangeContext;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #to: Assignment;
  /** Monotonic time since when it waits for a connection to the endpoint. */
  waitsSinceMs = 0;
  #upstream: Upstream;
  #place: "none" | "wait" | "run" = "none";
  #isStalled = false;
  #body: Buffer | RequestBody | null = null;
  #gathering: GatheredBody | null = null;
  #progress: Progress = "connect";
  #abort: ((error?: Error) => void) | null = null;
  #resume: (() => void) | null = null;
  #isSettled = false; // Nothing more comes from the upstream side.
  #isClosed = false;
  #hasRetried = false;
  #isHeaderHeld = false;
  #isOwnAnswer = false;
  #isCut = false;
  #answerBytes = -1;
  #isCold = false;
  #errorClass: ErrorClass | null = null;
  #status = 0;
  #ttfbMs = 0;
  #tusableMs = 0;
  #said: string | null = null;

  constructor(context: ExchangeContext, req: IncomingMessage, res: ServerResponse, assignment: Assignment) {
    this.#context = context;
    this.#req = req;
    this.#res = res;
    this.#to = assignment;
    this.#upstream = assignment.plan.upstreams.choose(assignment.startMs, null);
    context.inFlight++;
    (res as Marked<ServerResponse>)[EXCHANGE] = this;
    res.on("close", onResponseClose);
  }

  start(): void {
    const { contentLength, isChunked } = this.#to;
    if (contentLength <= 0 && !isChunked) return this.#askForPlace();
    if (contentLength > this.#context.bodyBytesMax) return this.#settle(REFUSALS.bodySize, true);
    if (isChunked || contentLength > GATHERED_BYTES) {
      this.#body = new RequestBody(this.#req, this.#context.bodyBytesMax, this.#to.copy);
      if (!isChunked) this.#to.headers.push("content-length", String(contentLength));
      return this.#askForPlace();
    }
    this.#gathering = new GatheredBody(contentLength);
    (this.#req as Marked<IncomingMessage>)[EXCHANGE] = this;
    this.#req.on("data", onGatherData);
  }

  gather(chunk: Buffer): void {
    if (this.#isClosed || this.#gathering === null) return;
    this.#body = this.#gathering.add(chunk);
    if (this.#body === null) return;
    this.#to.copy?.add(this.#body);
    this.#to.copy?.end();
    this.#askForPlace();
  }

  run(): void {
    this.#place = "run";
    this.#dispatch();
  }

  giveUp(): void {
    this.#fail(SATURATED, null);
  }

  get behind(): Behind | null {
    return this.#place === "run" ? this.#upstream.slots.behind(this.#to.client) : null;
  }

  cutStalled(): void {
    this.#isStalled = false;
    this.#req.socket.resetAndDestroy();
  }

  onConnect(abort: (error?: Error) => void): void {
    if (this.#isClosed) return abort();
    this.#abort = abort;
    this.#progress = "headers"; // From here on bytes may have been sent.
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    if (status < 200) return true; // Interim answers end here.
    const { plan, cookie } = this.#to;
    const answer = answerHeaders(raw, status, plan.answerLabels);
    if (cookie !== null) answer.headers.push("set-cookie", cookie);
    if (this.#context.isDraining) answer.headers.push("connection", "close");
    this.#res.writeHead(status, answer.headers);
    this.#resume = resume;
    this.#progress = "body";
    this.#status = status;
    this.#isCold = answer.isCold;
    this.#said = answer.event;
    this.#answerBytes = answer.contentLength;
    this.#errorClass = errorClassOfStatus(status);
    if (this.#context.events !== null) this.#ttfbMs = this.#context.clock.monoMs() - this.#to.startMs;
    if (isBodiless(status) && (answer.contentLength > 0 || answer.isChunked)) this.#completeWithoutBody();
    else {
      holdHeaders(this);
      this.#isHeaderHeld = true;
    }
    return true;
  }

  /** Sends the headers alone when no body came with them. */
  flushHeaders(): void {
    if (!this.#isHeaderHeld || this.#isClosed) return;
    this.#isHeaderHeld = false;
    this.#res.flushHeaders();
  }

  onData(chunk: Buffer): boolean {
    if (this.#isClosed || this.#isSettled) return false;
    if (this.#isTimed && this.#tusableMs === 0) this.#tusableMs = this.#context.clock.monoMs() - this.#to.startMs;
    if (this.#isHeaderHeld) {
      this.#isHeaderHeld = false;
      if (chunk.length === this.#answerBytes && chunk.length <= SMALL_ANSWER_BYTES) {
        // As text node:http joins it with the headers: one write of one buffer instead of a gathered one.
        this.#res.end(chunk.toString("latin1"), "latin1");
        return true;
      }
    }
    if (this.#res.write(chunk)) return true;
    this.#res.once("drain", onResponseDrain);
    this.#stall();
    return false;
  }

  resume(): void {
    this.#endStall();
    if (!this.#isSettled) this.#resume?.();
  }

  onComplete(trailers: string[] | null): void {
    if (this.#isSettled) return;
    this.#said = eventInTrailers(trailers) ?? this.#said;
    this.#isSettled = true;
    this.#noteAnswered();
    this.#release();
    if (this.#isClosed) return;
    this.#isHeaderHeld = false;
    if (!this.#res.writableEnded) this.#res.end();
    if (this.#res.writableLength > 0) this.#stall();
    if (this.#body instanceof RequestBody) this.#body.destroy(); // Answered before all of it was sent, perhaps.
  }

  onError(error: unknown): void {
    if (this.#isSettled || this.#isClosed) return;
    if (error instanceof BodyTooLargeError) return this.#fail(REFUSALS.bodySize, null);
    const failure = upstreamFailure(error, this.#progress);
    if (failure.isUnsendable) return this.#fail(REFUSALS.malformed, null);
    if (!failure.isOurs && !this.#res.headersSent) {
      this.#upstream.failedAtMs = this.#context.clock.monoMs();
      const hasOther = this.#progress !== "connect" || this.#to.plan.upstreams.upstreams.length > 1;
      const mayRepeat = isRepeatable(failure, this.#progress, this.#to.method, this.#body !== null);
      if (mayRepeat && hasOther && !this.#hasRetried) return this.#retry(failure.errorClass);
    }
    const errorClass = failure.isOurs ? null : failure.errorClass;
    this.#fail(ownAnswerFor(failure, this.#progress, this.#to.plan.arm), errorClass);
  }

  /** Called once, when the client's connection is done with the answer, one way or the other. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#endStall();
    const { clock, recorder, isCutting } = this.#context;
    const endMs = clock.monoMs();
    const isWhole = this.#isSettled && this.#res.writableFinished;
    const latencyMs = isWhole && !this.#isOwnAnswer ? endMs - this.#to.startMs : null;
    if (!this.#isSettled) {
      this.#isSettled = true;
      this.#abort?.();
      if (isCutting && !this.#to.isProbe) this.#countOwnFailure();
      if (this.#body instanceof RequestBody) this.#body.destroy();
    }
    this.#release();
    const { place, hash, isProbe, segments } = this.#to;
    const traffic = isProbe ? "probe" : this.#isCold ? "cold" : "warm";
    const isEvidence = recorder.record(place, hash, traffic, latencyMs, this.#errorClass, endMs, segments);
    const said = this.#said === null ? null : hearService(recorder, this.#to, this.#said);
    if (this.#isTimed) noteAnswer(this.#context, this.#to, this.#ended(isWhole, endMs), said, isEvidence);
    if (this.#to.copy !== null) this.#settleCopy(this.#to.copy, isWhole);
    this.#context.inFlight--;
    this.#context.onEnd();
    connectionOf(this.#req.socket).answered();
  }

  /** Somebody wants to know when the first piece of the body came. */
  get #isTimed(): boolean {
    return this.#context.events !== null || this.#to.plan.asksSignals;
  }

  #ended(isWhole: boolean, endMs: number): EndedAnswer {
    return {
      status: this.#status,
      errorClass: this.#errorClass,
      isCold: this.#isCold,
      isOfArm: this.#progress === "body" && !this.#isOwnAnswer,
      isStream: this.#answerBytes < 0,
      isWhole,
      isBroken: this.#isCut || this.#errorClass !== null || this.#context.isCutting,
      ttfbMs: this.#ttfbMs,
      tusableMs: this.#tusableMs,
      tfinalMs: endMs - this.#to.startMs,
    };
  }

  #askForPlace(): void {
    const place = this.#upstream.slots.take(this, this.#to.client);
    if (place === "full") return this.#fail(SATURATED, null);
    this.#place = place;
    if (place === "run") this.#dispatch();
    else this.waitsSinceMs = this.#context.clock.monoMs();
  }

  /** Gives the endpoint's connection, or the place in the line for one, to others. */
  #release(): void {
    if (this.#place === "none") return;
    const { slots } = this.#upstream;
    const isRunning = this.#place === "run";
    this.#place = "none";
    if (isRunning) slots.giveBack(this.#to.client);
    else slots.leave(this, this.#to.client);
    this.#upstream.ended();
  }

  #noteAnswered(): void {
    if (this.#to.copy !== null) this.#to.copy.answeredMs = this.#context.clock.monoMs();
  }

  /** The user is served; only now the candidate is asked the same. */
  #settleCopy(copy: ShadowCopy, isWhole: boolean): void {
    const errorClass = this.#errorClass;
    const isKnown = errorClass !== null || (isWhole && !this.#isOwnAnswer);
    const stable = isKnown ? { status: this.#status, errorClass, isCold: this.#isCold } : null;
    this.#context.mirror.settle(copy, stable);
  }

  #stall(): void {
    if (this.#to.copy !== null) this.#to.copy.hasWaited = true;
    this.#isStalled = true;
    this.#context.stalls.begin(this, this.#context.clock.monoMs());
  }

  #endStall(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#context.stalls.end(this);
  }

  /**
   * A 304 may carry the length of the body that it does not have, and some services send a length with a 204. The HTTP
   * client would wait for that body, so the answer ends here, and with it the connection that may hold it.
   * @source RFC 9110 §8.6
   */
  #completeWithoutBody(): void {
    this.#isSettled = true;
    this.#noteAnswered();
    this.#res.end();
    if (this.#body instanceof RequestBody) this.#body.destroy();
    this.#abort?.();
    this.#release();
  }

  #dispatch(): void {
    if (this.#upstream.isGone) return this.#fail(REPLACED, null);
    const { method, path, headers, copy } = this.#to;
    if (copy !== null) copy.askedMs = this.#context.clock.monoMs();
    const { pool, prefix } = this.#upstream;
    const target = prefix === "" ? path : prefix + path;
    // The type lists the methods its authors know; the parser has let through what HTTP knows.
    pool.dispatch({ method: method as Dispatcher.HttpMethod, path: target, headers, body: this.#body }, this);
  }

  /**
   * The failed attempt counts like any other: a second endpoint must not hide from the gates that the first one fails.
   */
  #retry(errorClass: ErrorClass): void {
    this.#hasRetried = true;
    const { clock, counts, recorder } = this.#context;
    const { place, hash, isProbe, segments } = this.#to;
    const nowMs = clock.monoMs();
    counts.retries++;
    if (!isProbe) {
      recorder.record(place, hash, "warm", null, errorClass, nowMs, segments);
      recorder.hear(place, ONE_RETRY);
    }
    const failed = this.#upstream;
    this.#release();
    this.#upstream = this.#to.plan.upstreams.choose(nowMs, failed);
    this.#upstream.slots.takeAtOnce(this.#to.client); // It has waited already.
    this.#place = "run";
    this.#abort = null;
    this.#progress = "connect";
    this.#dispatch();
  }

  #fail(own: OwnAnswer, errorClass: ErrorClass | null): void {
    this.#errorClass ??= errorClass;
    if (!this.#res.headersSent) return this.#settle(own, own.status < 500);
    this.#isSettled = true;
    this.#release();
    // An arm that cut its body is passed on as it is; a body cut by our own clock is our doing.
    if (own.status === 504 || errorClass === null) this.#countOwnFailure();
    this.#cut();
  }

  #settle(own: OwnAnswer, closes: boolean): void {
    this.#isSettled = true;
    this.#release();
    this.#isOwnAnswer = true;
    this.#status = own.status;
    if (own.status >= 500) this.#countOwnFailure();
    if (this.#body instanceof RequestBody) this.#body.destroy();
    sendOwnAnswer(this.#res, own, this.#to.plan.answerLabels, closes || this.#context.isDraining);
  }

  #countOwnFailure(): void {
    if (this.#to.isProbe) return;
    this.#context.recorder.countGatewayFailure();
    this.#context.counts.gatewayFailures++;
  }

  /** Ends the connection in the middle of the answer, after what arrived of it, so that the client sees the cut. */
  #cut(): void {
    this.#isCut = true;
    const { socket } = this.#req;
    if (this.#req.httpVersionMinor === 0) {
      socket.resetAndDestroy(); // A plain end would be a complete answer to HTTP/1.0.
      return;
    }
    socket.setTimeout(LINGER_MS);
    socket.destroySoon();
  }
}

function onResponseClose(this: ServerResponse): void {
  (this as Marked<ServerResponse>)[EXCHANGE]?.close();
}

function onResponseDrain(this: ServerResponse): void {
  (this as Marked<ServerResponse>)[EXCHANGE]?.resume();
}

function onGatherData(this: IncomingMessage, chunk: Buffer): void {
  (this as Marked<IncomingMessage>)[EXCHANGE]?.gather(chunk);
}
