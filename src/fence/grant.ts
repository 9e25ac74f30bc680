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
  /** Unique to this process; random when left out. */
  readonly worker?: string;
  /** Told whenever whether it may act changes, and why not. */
  readonly onChange?: (may: ActingLeave | null, reason: string) => void;
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

export interface Grant {
  /** Leave to begin one more effect now; null: it must not. Ask before each, and keep no answer. */
  leave(): ActingLeave | null;
  /** Carries out one effect, if it may. Nobody else gets a leave while it runs, as long as the leave lasts. */
  act<T>(effect: (token: number) => Promise<T>): Promise<Acted<T>>;
  /** Why it may not act; empty when it may. */
  readonly reason: string;
  /** Resolves when it may act; rejects with the signal's reason. */
  untilMayAct(signal: AbortSignal): Promise<ActingLeave>;
  /** Says that it acts no more, and asks no more. */
  stop(): Promise<void>;
}

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
/** An effect that began with so little left could end after its leave. */
const MARGIN_MS = 250;

/**
 * Asks a controller, once a second and without end, whether this worker may act on effects. While nobody answers, the
 * leave it has runs out and none comes after it: never "act unasked". Two HTTP calls do the same in any language.
 */
export function createGrant(options: GrantOptions): Grant {
  const { controller, service, release, onChange = () => {}, clock = systemClock } = options;
  const worker = options.worker ?? attemptIdOf(systemRandom);
  const send = options.fetch ?? fetch;
  const url = `${controller.replace(/\/$/, "")}/v1/services/${encodeURIComponent(service)}/grant`;
  const stopped = new AbortController();
  let held: ActingLeave | null = null;
  let reason = "the controller was not asked yet";
  let failure = "no answer came in time";
  let running = 0;
  const waiting = new Set<() => void>();

  const leave = (): ActingLeave | null => {
    if (held !== null && clock.monoMs() >= held.untilMonoMs - MARGIN_MS) set(null, `the leave ran out: ${failure}`);
    return held;
  };
  const set = (next: ActingLeave | null, why: string): void => {
    const isChanged = (next?.token ?? null) !== (held?.token ?? null);
    held = next;
    reason = next === null ? why : "";
    if (isChanged) onChange(next, reason);
    if (next !== null) for (const wake of waiting) wake();
  };
  const ask = async (isActing: boolean): Promise<Answer> => {
    const until = clock.timeout(ANSWER_LIMITS.timeoutMs);
    const headers = { "content-type": "application/json", authorization: `Bearer ${options.token()}` };
    const body = JSON.stringify({ release, worker, acting: isActing });
    const response = await send(url, { method: "POST", headers, body, redirect: "error", signal: until });
    const { text } = await readText(response.body, { bytesMax: ANSWER_LIMITS.bytesMax, until });
    if (!response.ok) throw new Error(`the controller answered ${response.status}: ${text.slice(0, 200)}`);
    return JSON.parse(text) as Answer;
  };
  const askOnce = async (): Promise<number> => {
    const askedMs = clock.monoMs(); // The leave counts from here: the answer may have been long on its way.
    const wasActing = leave() !== null || running > 0;
    try {
      const answer = await ask(wasActing);
      if (stopped.signal.aborted) return 0;
      const { acts, token, expires_in_ms: expiresInMs } = answer;
      set(acts ? { token, untilMonoMs: askedMs + expiresInMs } : null, answer.reason ?? "");
      // Said at once, so that nobody waits for a leave on which this worker does not rely any more.
      return !acts && wasActing && running === 0 ? 0 : Math.max(50, answer.ask_again_ms);
    } catch (error) {
      failure = describeFailure(error, url);
      if (leave() === null) reason = failure;
      return ASK_AGAIN_MS;
    }
  };
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) await clock.sleep(await askOnce(), stopped.signal);
  };
  const ended = run();
  return {
    leave,
    async act(effect) {
      const found = leave();
      if (found === null) return { kind: "refused", reason };
      running++;
      try {
        return { kind: "acted", value: await effect(found.token) };
      } finally {
        running--;
      }
    },
    get reason() {
      return reason;
    },
    untilMayAct(signal) {
      return new Promise((resolve, reject) => {
        const settle = (): void => {
          const found = leave();
          if (found === null && !signal.aborted) return;
          waiting.delete(settle);
          signal.removeEventListener("abort", settle);
          if (found === null) reject(signal.reason as Error);
          else resolve(found);
        };
        waiting.add(settle);
        signal.addEventListener("abort", settle);
        settle();
      });
    },
    async stop() {
      stopped.abort();
      await ended;
      set(null, "this worker stopped");
      await ask(false).catch(() => {}); // Unheard, the leave runs out by itself.
    },
  };
}

/** Why a controller could not be asked, and what to do. */
function describeFailure(error: unknown, url: string): string {
  const { cause, message } = error as { readonly cause?: { readonly code?: string }; readonly message?: string };
  const found = cause?.code ?? message ?? String(error);
  return `${url} could not be asked (${found}); is the controller running, and is the token of scope worker?`;
}
