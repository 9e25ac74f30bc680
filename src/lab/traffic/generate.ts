import { setMaxListeners } from "node:events";
import { Pool } from "undici";
import { assert } from "../../core/assert.ts";
import { seeded } from "../seeded.ts";
import { nowEpochMs, send } from "./send.ts";
import { type TrafficAnswer, type TrafficSummary, tally } from "./tally.ts";
import { zipfUsers } from "./users.ts";

export interface TrafficOptions {
  /** The answer endpoint, e.g. of the gateway: `http://127.0.0.1:8080/answer`. */
  readonly targetUrl: string;
  /** Mean rate; arrivals are Poisson. */
  readonly requestsPerSecond: number;
  /** 20 000. */
  readonly users?: number | undefined;
  /** 0.7. */
  readonly zipfExponent?: number | undefined;
  /** Drawn evenly; at least one. */
  readonly questions: readonly string[];
  /** Share of requests that ask for a stream, 0..1; 0.3. */
  readonly streamingShare?: number | undefined;
  readonly seed?: number | undefined;
  /** Header that names the user; `x-user-id`. */
  readonly userHeader?: string | undefined;
  /** Ends the run: nothing new is sent, running requests have `drainMs` to finish. */
  readonly signal: AbortSignal;
  /** 5 000. */
  readonly drainMs?: number | undefined;
  /** Requests in flight above which an arrival is skipped and counted; 2 000. */
  readonly inFlightMax?: number | undefined;
  /** Called for every request when it is over. A throw ends the process: it is the caller's bug. */
  readonly onAnswer?: ((answer: TrafficAnswer) => void) | undefined;
}

/** A running generator. */
export interface Traffic {
  /** Counts so far. Work grows with the users seen; meant for about once a second. */
  snapshot(): TrafficSummary;
  /** Resolves after the signal aborted and running requests ended or were given up. Never rejects. */
  readonly finished: Promise<TrafficSummary>;
}

interface Arrival {
  readonly user: string;
  readonly question: string;
  readonly isStreaming: boolean;
  /** Milliseconds to the next arrival. */
  readonly gapMs: number;
}

/** Who asks what and when. Fixed by the seed alone: two runs send identical traffic. */
export function arrivals(options: TrafficOptions): () => Arrival {
  const { questions, requestsPerSecond, seed = 1, streamingShare = 0.3 } = options;
  assert(questions.length > 0, "at least one question");
  assert(requestsPerSecond > 0 && Number.isFinite(requestsPerSecond), `a rate above 0: ${requestsPerSecond}`);
  const random = seeded(seed, "traffic");
  const pickUser = zipfUsers(options.users ?? 20_000, options.zipfExponent ?? 0.7);
  return () => ({
    user: pickUser(random.float()),
    question: questions[Math.floor(random.float() * questions.length)]!,
    isStreaming: random.float() < streamingShare,
    gapMs: (-Math.log(1 - random.float()) / requestsPerSecond) * 1000,
  });
}

/**
 * Sends traffic in an open loop: arrivals keep their drawn times however slow the answers are, because users do not
 * wait for each other. Late timers send everything that is due, so the rate holds.
 */
export function generateTraffic(options: TrafficOptions): Traffic {
  const { signal, inFlightMax = 2_000, drainMs = 5_000, userHeader = "x-user-id" } = options;
  const url = new URL(options.targetUrl);
  const next = arrivals(options);
  const counted = tally();
  const pool = new Pool(url.origin, { connections: inFlightMax, keepAliveTimeout: 30_000, bodyTimeout: 30_000 });
  const giveUp = new AbortController();
  setMaxListeners(0, giveUp.signal); // Every request under way listens for it.
  const running = new Set<Promise<void>>();

  const fire = ({ user, question, isStreaming }: Arrival, lagMs: number): void => {
    if (running.size >= inFlightMax) return counted.skipped();
    counted.sent(user, lagMs);
    const shot = send(pool, { url, user, userHeader, question, isStreaming }, giveUp.signal).then((answer) => {
      counted.add(answer);
      running.delete(shot);
      options.onAnswer?.(answer);
    });
    running.add(shot);
  };

  const sending = new Promise<void>((resolve) => {
    let arrival = next();
    let dueAt = nowEpochMs() + arrival.gapMs;
    const tick = (): void => {
      if (signal.aborted) return resolve();
      for (let lagMs = nowEpochMs() - dueAt; lagMs >= 0; lagMs = nowEpochMs() - dueAt) {
        fire(arrival, lagMs);
        arrival = next();
        dueAt += arrival.gapMs;
      }
      timer = setTimeout(tick, Math.max(0, dueAt - nowEpochMs()));
    };
    let timer = setTimeout(tick, 0);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });

  const finish = async (): Promise<TrafficSummary> => {
    await sending;
    const deadline = setTimeout(() => giveUp.abort(), drainMs);
    while (running.size > 0) await Promise.all(running);
    clearTimeout(deadline);
    await pool.destroy();
    return counted.summary();
  };
  return { snapshot: () => counted.summary(), finished: finish() };
}
