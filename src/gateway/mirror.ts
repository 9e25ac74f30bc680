import type { Dispatcher } from "undici";
import { xxHash32 } from "../core/assign/xxhash32.ts";
import { HEADERS } from "../core/routing/headers.ts";
import { copiedHeaders, isCopied, withoutSecrets } from "../core/routing/shadow-copy.ts";
import type { Recorder } from "../core/window/recorder.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventLog } from "./event-log.ts";
import type { GatewayLimits, GatewayTimeouts } from "./options.ts";
import { hasDotSegment } from "./request-target.ts";
import { ShadowCopy, type StableAnswer } from "./shadow-copy.ts";
import type { ShadowRoute } from "./shadow-route.ts";
import { type ShadowAnswer, ShadowRun } from "./shadow-run.ts";
import { ArmUpstreams, Upstream } from "./upstream.ts";

/** Bodies of copies that may be kept while stable answers. */
const HELD_BYTES = 16_777_216;
const HELD_COPIES = 1_024;
/** What a copy costs beside its body. */
const COPY_BYTES = 1_024;

interface MirrorOptions {
  readonly clock: Clock;
  readonly timeouts: GatewayTimeouts;
  readonly limits: GatewayLimits;
  readonly recorder: Recorder;
  readonly events: EventLog | null;
  /** A fresh name for each copy. */
  readonly newId: () => string;
}

/** What of a request matters for its copy. */
export interface Original {
  readonly method: string;
  readonly path: string;
  /** Name, value, …, before a data plane added its own. */
  readonly headers: readonly string[];
  /** The name by which the client reached us, and how. */
  readonly host: string | null;
  readonly proto: string | null;
  readonly unitHash: number | null;
  readonly contentLength: number;
  readonly isChunked: boolean;
}

/**
 * Sends copies of requests to a candidate that has no users. A copy leaves after its user's answer has, on connections
 * of its own, so that no user waits for one; how many run, how large they are and how long they take is bounded by the
 * order. What the candidate answers is read, counted beside stable's answer, and thrown away.
 */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #running = new Set<ShadowRun>();
  #route: ShadowRoute | null = null;
  #upstreams: readonly Upstream[] = [];
  #turns = new ArmUpstreams([]);
  #held = 0;
  #heldBytes = 0;
  #tokens = 0;
  #filledMs = 0;

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  /** Decides whether a user's request will be copied; null when not. */
  choose(route: ShadowRoute, original: Original): ShadowCopy | null {
    const { order, arm, sampler } = route;
    const { method, path, contentLength, isChunked } = original;
    if (!isCopied(order, method, path) || (arm.hasPrefix && hasDotSegment(path)) || !sampler.choose()) return null;
    this.#open(route);
    const { shadow } = this.#options.recorder;
    shadow.choose();
    if (contentLength > order.bodyBytes) {
      shadow.leave("body");
      return null;
    }
    const bytesMax = isChunked ? order.bodyBytes : Math.max(0, contentLength);
    if (!this.#mayHold(bytesMax) || !this.#spend(order.perSecond)) {
      shadow.leave("busy");
      return null;
    }
    this.#held++;
    this.#heldBytes += bytesMax + COPY_BYTES;
    const headers = [...copiedHeaders(original.headers, order), ...route.labels];
    if (original.host !== null) headers.push(HEADERS.forwardedHost, original.host);
    headers.push(HEADERS.forwardedProto, original.proto ?? "http");
    return new ShadowCopy(route, {
      method,
      path: withoutSecrets(path),
      headers,
      unitHash: original.unitHash,
      bytesMax,
    });
  }

  /**
   * The user of a copied request has his answer, or is gone.
   * @param stable null where stable's answer cannot be told, or nobody took it
   */
  settle(copy: ShadowCopy, stable: StableAnswer | null): void {
    this.#held--;
    this.#heldBytes -= copy.bytesMax + COPY_BYTES;
    const { route } = copy;
    if (route.key !== this.#route?.key) return; // Other copies are ordered now, or none.
    const { shadow } = this.#options.recorder;
    const body = copy.body();
    if (stable === null) shadow.leave("gone");
    else if (body === null) shadow.leave("body");
    else if (copy.answeredMs - copy.askedMs > route.order.timeoutMs) shadow.leave("late");
    else if (this.#running.size >= route.order.inFlight) shadow.leave("busy");
    else this.#send(copy, body, stable);
  }

  /** Ends what runs for too long. */
  expire(nowMs: number): void {
    const timeoutMs = this.#route?.order.timeoutMs ?? 0;
    for (const run of this.#running) if (nowMs - run.startMs > timeoutMs) run.expire();
  }

  /** Follows another document, by its key: what runs for copies that are not ordered any more is no evidence. */
  follow(key: string | null): void {
    if (this.#route?.key !== key) this.close();
  }

  /** Cuts what runs. */
  close(): void {
    const upstreams = this.#upstreams;
    this.#route = null;
    this.#upstreams = [];
    for (const run of this.#running) run.drop();
    for (const upstream of upstreams) void upstream.destroy();
  }

  #open(route: ShadowRoute): void {
    if (route.key === this.#route?.key) return;
    this.close();
    const { timeouts, limits, clock } = this.#options;
    const { timeoutMs, inFlight } = route.order;
    const own = { ...timeouts, headersMs: timeoutMs, bodyIdleMs: timeoutMs };
    const few = { ...limits, connectionsPerEndpoint: inFlight };
    this.#upstreams = route.arm.upstreams.upstreams.map(({ endpoint }) => new Upstream(endpoint, own, few, clock));
    this.#turns = new ArmUpstreams(this.#upstreams);
    this.#route = route;
  }

  #mayHold(bytes: number): boolean {
    return this.#held < HELD_COPIES && this.#heldBytes + bytes + COPY_BYTES <= HELD_BYTES;
  }

  /** One of the copies that the order allows in a second. */
  #spend(perSecond: number): boolean {
    const nowMs = this.#options.clock.monoMs();
    this.#tokens = Math.min(perSecond, this.#tokens + ((nowMs - this.#filledMs) / 1_000) * perSecond);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #send(copy: ShadowCopy, body: Buffer, stable: StableAnswer): void {
    const { clock, newId } = this.#options;
    const id = newId();
    const requestHash = hashOf(copy, body);
    const run = new ShadowRun(
      () => clock.monoMs(),
      (ended, answer) => {
        this.#running.delete(ended);
        if (answer !== null && copy.route.key === this.#route?.key) this.#count(copy, requestHash, id, stable, answer);
      },
    );
    this.#running.add(run);
    const { pool, prefix } = this.#turns.choose(run.startMs, null);
    const labels = [HEADERS.shadowId, id, HEADERS.requestHash, hexOf(requestHash)];
    if (body.length > 0) labels.push("content-length", String(body.length));
    const options = {
      method: copy.method as Dispatcher.HttpMethod,
      path: prefix + copy.path,
      headers: [...copy.headers, ...labels],
      body: body.length === 0 ? null : body,
    };
    try {
      pool.dispatch(options, run);
    } catch (error) {
      run.onError(error);
    }
  }

  #count(copy: ShadowCopy, requestHash: number, id: string, stable: StableAnswer, answer: ShadowAnswer): void {
    const { recorder, events } = this.#options;
    const isTimed = !copy.hasWaited && !stable.isCold && !answer.isCold;
    recorder.shadow.pair({
      key: copy.unitHash ?? requestHash,
      hasStableFailed: stable.errorClass !== null,
      errorClass: answer.errorClass,
      isOtherStatus: answer.status !== stable.status,
      ms: isTimed ? { stable: copy.answeredMs - copy.askedMs, candidate: answer.ms } : null,
    });
    events?.addShadow({
      plan: copy.route.arm,
      hash: copy.unitHash,
      id,
      requestHash: hexOf(requestHash),
      stableStatus: stable.status,
      ...answer,
    });
  }
}

/** By which the same request is known again. */
function hashOf({ method, path }: ShadowCopy, body: Buffer): number {
  return xxHash32(`${method} ${path}\n${body.toString("latin1")}`, 0);
}

function hexOf(hash: number): string {
  return hash.toString(16).padStart(8, "0");
}
