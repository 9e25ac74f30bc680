import type { Send } from "../fence/outbox/relay-run.ts";
import type { Clock } from "../ports/clock.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { OutboxStore } from "../ports/outbox-store.ts";

/**
 * Between every two steps of one event's way, where a producer or a relay dies. `paused` relays stand still, before the
 * send has left or with its answer in hand, and go on after their lease.
 */
export const OUTBOX_CRASH_POINTS = [
  "before-add",
  "after-add",
  "after-commit",
  "before-claim",
  "after-claim",
  "before-send",
  "after-send",
  "before-mark",
  "after-mark",
  "paused",
] as const;
export type OutboxCrashPoint = (typeof OUTBOX_CRASH_POINTS)[number];

/** What a dead process gets instead of an answer. */
export class Killed extends DriverError {
  constructor(point: string) {
    super("rejected", "never", `killed at ${point}`);
  }
}

/** How one relay process meets its end. */
export interface Fate {
  /** True when the process dies, or pauses, at this point now; counted by the caller. */
  strikes(point: OutboxCrashPoint): boolean;
  /** Resolves when a pause is over. */
  pause(): Promise<void>;
  /** Whether this pause comes with the answer of the send in hand. */
  hasAnswer(): boolean;
}

/** A relay's process: everything it does goes through it, and stands still while it is paused. */
export interface RelayProcess<Transaction> {
  readonly store: OutboxStore<Transaction>;
  readonly send: Send;
  readonly clock: Clock;
  /** Aborts at its death. Nothing it does afterwards reaches anybody. */
  readonly signal: AbortSignal;
  stop(): void;
}

/** Puts store, sender and clock into a process that dies and pauses by its fate. */
export function relayProcess<Transaction>(
  store: OutboxStore<Transaction>,
  send: Send,
  clock: Clock,
  fate: Fate,
): RelayProcess<Transaction> {
  const end = new AbortController();
  const life = { isDead: false, pause: Promise.resolve() };
  /** Waits out a pause; throws in a dead process. */
  async function live(): Promise<void> {
    await life.pause;
    if (life.isDead) throw new Killed("its death");
  }
  async function pass(point: OutboxCrashPoint): Promise<void> {
    await live();
    if (!fate.strikes(point)) return;
    life.isDead = true;
    end.abort();
    throw new Killed(point);
  }
  /** A step of the process between two points; its effect outside happens although the process dies after it. */
  async function step<T>(before: OutboxCrashPoint, after: OutboxCrashPoint, call: () => Promise<T>): Promise<T> {
    await pass(before);
    const answer = await call();
    await pass(after);
    return answer;
  }
  const mark = <T>(call: () => Promise<T>) => step("before-mark", "after-mark", call);
  return {
    signal: end.signal,
    stop: () => end.abort(),
    clock: {
      ...clock,
      async sleep(ms, signal) {
        await clock.sleep(ms, signal);
        await life.pause;
      },
    },
    store: {
      ...store,
      claimBatch: (order) => step("before-claim", "after-claim", () => store.claimBatch(order)),
      markSent: (claims) => mark(() => store.markSent(claims)),
      markFailed: (...given) => mark(() => store.markFailed(...given)),
      markDead: (...given) => mark(() => store.markDead(...given)),
      release: (claims) => mark(() => store.release(claims)),
    },
    send: (row, ticket) =>
      step("before-send", "after-send", async () => {
        const isPaused = fate.strikes("paused");
        const isLate = isPaused && fate.hasAnswer();
        if (isPaused && !isLate) life.pause = fate.pause();
        await live(); // Stopped between its last look at the clock and the network.
        const answer = await send(row, ticket);
        if (isLate) life.pause = fate.pause();
        return answer;
      }),
  };
}
