import { buildConnector, Pool } from "undici";
import type { Clock } from "../ports/clock.ts";
import { FairSlots } from "./fair-slots.ts";
import { joinSmallWrites } from "./joined-writes.ts";
import type { GatewayLimits, GatewayTimeouts } from "./options.ts";

/** An endpoint that failed is tried last for this long. */
const COOL_DOWN_MS = 2_000;
const NEVER = Number.NEGATIVE_INFINITY;

/** One endpoint with its keep-alive connections, shared by every document that names it. */
export class Upstream {
  readonly endpoint: string;
  /** Path all requests get in front; "" for none. */
  readonly prefix: string;
  failedAtMs = NEVER;
  readonly #origin: string;
  readonly #options: Pool.Options;
  /** Who may use a connection of it now. */
  readonly slots: FairSlots;
  #pool: Pool | null = null;
  #isRetired = false;
  readonly #clock: Clock;
  #deadline: AbortController | null = null;
  #isGone = false;

  constructor(endpoint: string, timeouts: GatewayTimeouts, limits: GatewayLimits, clock: Clock) {
    const url = new URL(endpoint);
    this.#clock = clock;
    this.endpoint = endpoint;
    this.prefix = url.pathname.replace(/\/$/, "");
    this.#origin = url.origin;
    this.slots = new FairSlots(limits.connectionsPerEndpoint, limits.waitingPerEndpoint);
    this.#options = {
      connections: limits.connectionsPerEndpoint,
      pipelining: 1, // A request behind another one would share its delays and its failures.
      connect: joiningConnector(buildConnector({ timeout: timeouts.connectMs })),
      headersTimeout: timeouts.headersMs,
      bodyTimeout: timeouts.bodyIdleMs,
      // Whatever the service promises: a connection that we close before it does is never one it has just closed.
      keepAliveTimeout: timeouts.upstreamIdleMs,
      keepAliveMaxTimeout: timeouts.upstreamIdleMs,
    };
  }

  /** Connections of this endpoint, opened on first use. */
  get pool(): Pool {
    this.#pool ??= new Pool(this.#origin, this.#options);
    return this.#pool;
  }

  /** No document names it any more, and the time for what still ran is over. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** A request that ran, or waited, is done with this endpoint. */
  ended(): void {
    if (this.slots.held === 0 && this.#isRetired) this.#close();
  }

  /** Closes the connections when nothing runs on them any more, at the latest after `drainMs`, which cuts what runs. */
  retire(drainMs: number): void {
    this.#isRetired = true;
    if (this.slots.held === 0) this.#close();
    else if (this.#deadline === null) void this.#cutAfter(drainMs);
  }

  /** A document names the endpoint again. */
  recall(): void {
    this.#isRetired = false;
    this.#isGone = false;
    this.#stopWaiting();
  }

  /** Cuts what still runs. */
  destroy(): Promise<void> {
    this.#stopWaiting();
    const pool = this.#pool;
    this.#pool = null;
    return pool === null ? Promise.resolve() : pool.destroy();
  }

  #close(): void {
    this.#stopWaiting();
    const pool = this.#pool;
    this.#pool = null;
    if (pool !== null) void pool.close();
  }

  async #cutAfter(drainMs: number): Promise<void> {
    const deadline = new AbortController();
    this.#deadline = deadline;
    await this.#clock.sleep(drainMs, deadline.signal);
    if (deadline.signal.aborted) return;
    this.#isGone = true;
    await this.destroy();
  }

  #stopWaiting(): void {
    this.#deadline?.abort();
    this.#deadline = null;
  }
}

/** Opens connections as `connect` does, on which a head and a short body leave as one. */
function joiningConnector(connect: buildConnector.connector): buildConnector.connector {
  return (options, done) =>
    connect(options, (...[error, socket]: Parameters<buildConnector.Callback>) => {
      if (error !== null) return done(error, null);
      joinSmallWrites(socket);
      done(null, socket);
    });
}

/** The endpoints of one arm: taken in turn, those that failed lately last. */
export class ArmUpstreams {
  readonly upstreams: readonly Upstream[];
  #turn = 0;

  constructor(upstreams: readonly Upstream[]) {
    this.upstreams = upstreams;
  }

  /** @param except an endpoint that just failed this request; taken again only when there is no other */
  choose(nowMs: number, except: Upstream | null): Upstream {
    const { upstreams } = this;
    const count = upstreams.length;
    let best = upstreams[0] as Upstream;
    if (count === 1) return best;
    this.#turn = (this.#turn + 1) % count;
    let bestFailedAtMs = Number.POSITIVE_INFINITY;
    for (let step = 0; step < count; step++) {
      const upstream = upstreams[(this.#turn + step) % count] as Upstream;
      if (upstream === except) continue;
      if (upstream.failedAtMs + COOL_DOWN_MS <= nowMs) return upstream;
      if (upstream.failedAtMs < bestFailedAtMs) {
        best = upstream;
        bestFailedAtMs = upstream.failedAtMs;
      }
    }
    return best;
  }
}

/** Every endpoint the gateway has connections to. */
export class UpstreamSet {
  readonly #byEndpoint = new Map<string, Upstream>();
  readonly #timeouts: GatewayTimeouts;
  readonly #limits: GatewayLimits;
  readonly #clock: Clock;

  constructor(timeouts: GatewayTimeouts, limits: GatewayLimits, clock: Clock) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#limits = limits;
  }

  armOf(endpoints: readonly string[]): ArmUpstreams {
    return new ArmUpstreams(endpoints.map((endpoint) => this.#get(endpoint)));
  }

  /** Keeps the endpoints a document names and lets the others run out. */
  keepOnly(endpoints: ReadonlySet<string>, drainMs: number): void {
    for (const [endpoint, upstream] of this.#byEndpoint) {
      if (endpoints.has(endpoint)) upstream.recall();
      else upstream.retire(drainMs);
      if (!endpoints.has(endpoint) && upstream.slots.held === 0) this.#byEndpoint.delete(endpoint);
    }
  }

  /** Ends at most `atMost` of what waits since before `untilMs` for a connection. @returns how many it ended */
  expire(untilMs: number, atMost: number): number {
    let ended = 0;
    for (const { slots } of this.#byEndpoint.values()) ended += slots.expire(untilMs, atMost - ended);
    return ended;
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#byEndpoint.values()].map((upstream) => upstream.destroy()));
  }

  #get(endpoint: string): Upstream {
    let upstream = this.#byEndpoint.get(endpoint);
    if (upstream === undefined) {
      upstream = new Upstream(endpoint, this.#timeouts, this.#limits, this.#clock);
      this.#byEndpoint.set(endpoint, upstream);
    }
    return upstream;
  }
}
