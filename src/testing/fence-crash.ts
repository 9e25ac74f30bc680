import type { FenceOwner } from "../core/fence/record.ts";
import { once } from "../fence/once.ts";
import type { Clock } from "../ports/clock.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { FenceStore } from "../ports/fence-store.ts";

/** Between every two steps of one delivery; a worker dies at each of them. `paused` resumes after others took over. */
export const CRASH_POINTS = [
  "before-claim",
  "after-claim",
  "before-effect",
  "after-effect",
  "before-complete",
  "after-complete",
  "before-ack",
  "paused",
] as const;
type CrashPoint = (typeof CRASH_POINTS)[number];

export interface CrashWorld {
  /** The store as one arm's workers see it. */
  open(arm: "blue" | "green"): FenceStore;
  readonly clock: Clock;
  advance(ms: number): Promise<void>;
  /** Called for every delivery taken: lets a world in virtual time move on. */
  tick?(): void;
}

export interface CrashPlan {
  readonly seed: number;
  readonly events: number;
  /** Deliveries of each event, in random order. */
  readonly copies: number;
  /** Share of deliveries whose worker dies or pauses at a random point, 0..1. */
  readonly crashShare: number;
  readonly workers: number;
  readonly leaseMs: number;
  readonly prefix: string;
}

export interface CrashReport {
  /** Handed out by the broker at first; each crash adds one more. */
  readonly deliveries: number;
  readonly crashes: Readonly<Record<CrashPoint, number>>;
  /** Effects run a second time at a sink that cannot refuse them, and second effects at one that can. */
  readonly duplicates: number;
  /** Keys for which two different attempts were told `stored`. */
  readonly doubleCommits: number;
  /** Events that are neither done nor visible to an operator as unknown. */
  readonly lost: number;
  /** Events an operator sees: an attempt died and its sink could not refuse a second run. */
  readonly unknown: number;
  readonly replays: number;
  /** Attempts that ended after somebody else had taken over, and were refused. */
  readonly superseded: number;
}

interface Delivery {
  readonly event: number;
  readonly dueAtMs: number;
}

/** Even events go to a sink that refuses a second run under the effect key; odd ones to a sink that cannot. */
const isKeyed = (event: number) => event % 2 === 0;

/** Longest wait of a paused worker, in lease times; afterwards it goes on although nobody took over. */
const PAUSE_LEASES_MAX = 4;

/** Small seeded generator, so that a failing run can be run again. @source mulberry32, T. Ettinger, public domain */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A queue that redelivers: first copies in random order, the unacknowledged again after a lease time. */
function brokerOf(plan: CrashPlan, random: () => number) {
  const first = Array.from({ length: plan.events * plan.copies }, (_, index) => index % plan.events);
  for (let index = first.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [first[index], first[other]] = [first[other] as number, first[index] as number];
  }
  const [later, total]: [Delivery[], number] = [[], first.length];
  let [nextFirst, nextLater] = [0, 0];
  return {
    total,
    taken: () => nextFirst,
    /** An event, a time to wait for, or null: nothing is left now. */
    take(nowMs: number): { readonly event: number } | { readonly waitMs: number } | null {
      const due = later[nextLater];
      if (due !== undefined && due.dueAtMs <= nowMs) {
        nextLater++;
        return { event: due.event };
      }
      if (nextFirst < total) return { event: first[nextFirst++] as number };
      return due === undefined ? null : { waitMs: due.dueAtMs - nowMs };
    },
    again: (event: number, dueAtMs: number) => void later.push({ event, dueAtMs }),
  };
}

/** What one run counts while it goes. */
function ledgerOf(plan: CrashPlan) {
  const [runs, applied] = [new Uint32Array(plan.events), new Uint32Array(plan.events)];
  const committedBy = new Map<number, number>();
  const crashes = Object.fromEntries(CRASH_POINTS.map((point) => [point, 0])) as Record<CrashPoint, number>;
  const counts = { doubleCommits: 0, replays: 0, superseded: 0 };
  return {
    runs,
    applied,
    crashes,
    counts,
    effect(event: number): void {
      runs[event] = (runs[event] as number) + 1;
      if (!isKeyed(event) || applied[event] === 0) applied[event] = (applied[event] as number) + 1;
    },
    committed(event: number, token: number): void {
      const before = committedBy.get(event);
      if (before !== undefined && before !== token) counts.doubleCommits++;
      committedBy.set(event, token);
    },
  };
}

class Killed extends DriverError {
  constructor(point: string) {
    super("rejected", "never", `killed at ${point}`);
  }
}

/** A worker's connection: dead after its crash, and silent to renewals while its worker is paused. */
function mortal(store: FenceStore, point: CrashPoint | null, onCommit: (owner: FenceOwner) => void) {
  const life = { isDead: false, isPaused: false };
  const die = (at: CrashPoint): void => {
    if (point === at) life.isDead = true;
    if (life.isDead) throw new Killed(at);
  };
  const alive = async <T>(call: () => Promise<T>): Promise<T> => {
    if (life.isDead || life.isPaused) throw new Killed("its renewal");
    return call();
  };
  const connection: FenceStore = {
    ...store,
    async claim(request) {
      die("before-claim");
      const answer = await store.claim(request);
      die("after-claim");
      return answer;
    },
    async complete(owner, result, retentionMs) {
      die("before-complete");
      const answer = await store.complete(owner, result, retentionMs);
      if (answer === "stored") onCommit(owner);
      die("after-complete");
      return answer;
    },
    renew: (...given) => alive(() => store.renew(...given)),
    release: (...given) => alive(() => store.release(...given)),
  };
  return { connection, life, die };
}

const RETENTION_MS = 3_600_000;

/**
 * Delivers every event several times, in random order, to workers of two arms that die or pause between any two steps;
 * the first half of the deliveries goes to blue, everything after the flip to green.
 */
export async function runCrashMatrix(world: CrashWorld, plan: CrashPlan): Promise<CrashReport> {
  const random = seeded(plan.seed);
  const [broker, ledger] = [brokerOf(plan, random), ledgerOf(plan)];
  const stores = { blue: world.open("blue"), green: world.open("green") };
  const scope = `${plan.prefix}/crash`;
  const nowMs = () => world.clock.monoMs();
  const paused = new Set<Promise<void>>();

  /** Sleeps, as a stopped process does, until somebody else has the key or a few lease times are over. */
  async function pause(store: FenceStore, key: string, token: number): Promise<void> {
    const untilMs = nowMs() + plan.leaseMs * PAUSE_LEASES_MAX;
    while (nowMs() < untilMs) {
      const record = await store.read(scope, key);
      if (record === null || record.token !== token || record.state !== "locked") return;
      await world.advance(plan.leaseMs / 2);
    }
  }

  async function deliver(event: number): Promise<void> {
    const arm = broker.taken() * 2 < broker.total ? "blue" : "green";
    const [key, store] = [`event-${event}`, stores[arm]];
    const point =
      random() < plan.crashShare ? (CRASH_POINTS[Math.floor(random() * CRASH_POINTS.length)] as CrashPoint) : null;
    const { connection, life, die } = mortal(store, point, (owner) => ledger.committed(event, owner.token));
    const options = {
      store: connection,
      clock: world.clock,
      leaseMs: plan.leaseMs,
      retentionMs: RETENTION_MS,
      storeTimeoutMs: 60_000,
    };
    const redeliver = () => broker.again(event, nowMs() + plan.leaseMs);
    try {
      const outcome = await once(options, { scope, key, effectKey: isKeyed(event) ? key : null }, async (held) => {
        die("before-effect");
        ledger.effect(event);
        die("after-effect");
        if (point === "paused") {
          ledger.crashes.paused++;
          redeliver();
          life.isPaused = true;
          await pause(store, key, held.token);
          life.isPaused = false;
        }
        return event;
      });
      die("before-ack");
      if (outcome.kind === "done" && outcome.replayed) ledger.counts.replays++;
      if (outcome.kind === "superseded") ledger.counts.superseded++;
      if (outcome.kind === "busy" || outcome.kind === "superseded") redeliver();
      if (outcome.kind === "unrecorded") throw outcome.cause;
    } catch (error) {
      if (!(error instanceof Killed) || point === null) throw error;
      ledger.crashes[point]++;
      redeliver();
    }
  }

  async function work(): Promise<void> {
    for (;;) {
      world.tick?.();
      const next = broker.take(nowMs());
      if (next === null && paused.size === 0) return;
      if (next === null) await Promise.race(paused);
      else if ("waitMs" in next) await world.advance(Math.max(1, next.waitMs));
      else {
        const delivery: Promise<void> = deliver(next.event).finally(() => paused.delete(delivery));
        paused.add(delivery);
        await delivery;
      }
    }
  }

  await Promise.all(Array.from({ length: plan.workers }, work));
  return report(stores.green, scope, plan, broker.total, ledger);
}

/** Reads every record back and counts what is missing, doubled or left to an operator. */
async function report(
  store: FenceStore,
  scope: string,
  plan: CrashPlan,
  deliveries: number,
  ledger: ReturnType<typeof ledgerOf>,
) {
  let [duplicates, lost, unknown] = [0, 0, 0];
  for (let from = 0; from < plan.events; from += 200) {
    const events = Array.from({ length: Math.min(200, plan.events - from) }, (_, index) => from + index);
    const records = await Promise.all(events.map((event) => store.read(scope, `event-${event}`)));
    for (const [index, event] of events.entries()) {
      const record = records[index] ?? null;
      const applied = ledger.applied[event] as number;
      duplicates += Math.max(0, applied - 1);
      const isDone = record?.state === "done" && record.result === JSON.stringify(event) && applied >= 1;
      const isVisible = record?.state === "unknown" && !isKeyed(event);
      if (isVisible) unknown++;
      if (!isDone && !isVisible) lost++;
    }
  }
  const { crashes, counts } = ledger;
  return { deliveries, crashes, duplicates, lost, unknown, ...counts };
}
