import { readText } from "../ports/bounded-body.ts";
import type { Clock } from "../ports/clock.ts";
import { attemptIdOf, systemClock, systemRandom } from "./system.ts";

export interface GrantOptions {
  /** Address of the controller. */
  readonly controller: string;
  /** A token of scope `worker`; asked for with each request, so that it may be replaced. */
  readonly token: () => string;
  readonly service: string;
  /** Release this worker belongs to, as documents name it. */
  readonly release: string;
  /** Region this worker stands in; needed once a drill has promoted a region of the service. */
  readonly region?: string;
  /** A producer begins effects and stops while they are frozen; a consumer goes on with what is queued. */
  readonly role: "producer" | "consumer";
  /** Unique to this process; random when left out. */
  readonly worker?: string;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
}

/** Leave to act on the effects of the service. */
export interface ActingLeave {
  /** Fencing token: send it with everything the effects change, which refuses a lower one than it has seen. */
  readonly token: number;
  /** Monotonic milliseconds of the clock; it ends by itself. */
  readonly untilMonoMs: number;
}

/** What came of an effect that was to be carried out. */
export type Acted<T> =
  | { readonly kind: "acted"; readonly value: T }
  | { readonly kind: "refused"; readonly reason: string };

interface Answer {
  readonly acts: boolean;
  readonly token: number;
  readonly expires_in_ms: number;
  readonly ask_again_ms: number;
  readonly reason: string | null;
}

const ANSWER_LIMITS = { bytesMax: 65_536, timeoutMs: 3_000 };
const ASK_AGAIN_MS = 1_000;
const PAUSE_MIN_MS = 50;
/** An effect that began with so little left could end after its leave. */
const MARGIN_MS = 250;

/**
 * Whether this worker may act on the effects of a service: asked of a controller once a second and without end. While
 * nobody answers, the leave it has runs out and none comes after it: never "act unasked". The same HTTP call does it in
 * any language. @source definitions.md §13, "Grant"
 */
export class Grant {
  readonly #options: GrantOptions;
  readonly #clock: Clock;
  readonly #worker: string;
  readonly #url: string;
  readonly #stopped = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #ended: Promise<void>;
  #held: ActingLeave | null = null;
  #reason = "the controller was not asked yet";
  #failure = "no answer came in time";
  #running = 0;
  #questions = 0;

  constructor(options: GrantOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#worker = options.worker ?? attemptIdOf(systemRandom);
    this.#url = `${options.controller.replace(/\/$/, "")}/v1/services/${encodeURIComponent(options.service)}/grant`;
    this.#ended = this.#run();
  }

  /** Leave to begin one more effect now; null: it must not. Ask before each, and keep no answer. */
  leave(): ActingLeave | null {
    if (this.#held !== null && this.#clock.monoMs() >= this.#held.untilMonoMs - MARGIN_MS)
      this.#set(null, `the leave ran out: ${this.#failure}`);
    return this.#held;
  }

  /** Why it may not act; empty when it may. */
  get reason(): string {
    return this.#reason;
  }

  /** Carries out one effect, if it may. Nobody else gets a leave while it runs, as long as the leave lasts. */
  async act<T>(effect: (token: number) => Promise<T>): Promise<Acted<T>> {
    const found = this.leave();
    if (found === null) return { kind: "refused", reason: this.#reason };
    this.#running++;
    try {
      return { kind: "acted", value: await effect(found.token) };
    } finally {
      this.#running--;
    }
  }

  /** Resolves when it may act; rejects with the signal's reason. */
  untilMayAct(signal: AbortSignal): Promise<ActingLeave> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        const found = this.leave();
        if (found === null && !signal.aborted) return;
        this.#waiting.delete(settle);
        signal.removeEventListener("abort", settle);
        if (found === null) reject(signal.reason as Error);
        else resolve(found);
      };
      this.#waiting.add(settle);
      signal.addEventListener("abort", settle);
      settle();
    });
  }

  /** Says that it acts no more, and asks no more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#ended;
    this.#set(null, "this worker stopped");
    await this.#ask(false).catch(() => {}); // Unheard, the leave runs out by itself.
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) await this.#clock.sleep(await this.#askOnce(), signal);
  }

  /** @returns milliseconds until it is to be asked again */
  async #askOnce(): Promise<number> {
    const askedMs = this.#clock.monoMs(); // The leave counts from here: the answer may have been long on its way.
    const wasActing = this.leave() !== null || this.#running > 0;
    try {
      const { acts, token, expires_in_ms: expiresInMs, ask_again_ms: againMs, reason } = await this.#ask(wasActing);
      if (this.#stopped.signal.aborted) return 0;
      this.#set(acts ? { token, untilMonoMs: askedMs + expiresInMs } : null, reason ?? "");
      // Said at once, so that nobody waits for a leave on which this worker does not rely any more.
      return !acts && wasActing && this.#running === 0 ? 0 : Math.max(PAUSE_MIN_MS, againMs);
    } catch (error) {
      this.#failure = describeFailure(error, this.#url);
      if (this.leave() === null) this.#reason = this.#failure;
      return ASK_AGAIN_MS;
    }
  }

  async #ask(isActing: boolean): Promise<Answer> {
    const { token, release, region, role, fetch: send = fetch } = this.#options;
    const until = this.#clock.timeout(ANSWER_LIMITS.timeoutMs);
    const headers = { "content-type": "application/json", authorization: `Bearer ${token()}` };
    const question = ++this.#questions; // One that is overtaken on its way must not give back what a later one was given.
    const body = JSON.stringify({ release, region, worker: this.#worker, role, acting: isActing, question });
    const response = await send(this.#url, { method: "POST", headers, body, redirect: "error", signal: until });
    const { text } = await readText(response.body, { bytesMax: ANSWER_LIMITS.bytesMax, until });
    if (!response.ok) throw new Error(`the controller answered ${response.status}: ${text.slice(0, 200)}`);
    return JSON.parse(text) as Answer;
  }

  #set(next: ActingLeave | null, why: string): void {
    this.#held = next;
    this.#reason = next === null ? why : "";
    if (next !== null) for (const wake of this.#waiting) wake();
  }
}

/** Why a controller could not be asked, and what to do. */
function describeFailure(error: unknown, url: string): string {
  const { cause, message } = error as { readonly cause?: { readonly code?: string }; readonly message?: string };
  const found = cause?.code ?? message ?? String(error);
  return `${url} could not be asked (${found}); is the controller running, and is the token of scope worker?`;
}
