import type { EpochMs } from "../core/unit.ts";
import { type Clock, clockBySleep } from "../ports/clock.ts";

/** A clock that moves only when told: sleepers wake in order of their time. */
export interface ManualClock extends Clock {
  /** Moves both clocks, waking every sleeper that falls due, and lets their continuations run. */
  advance(ms: number): Promise<void>;
  /** Moves the wall clock alone: a step of NTP or of an operator. */
  jumpWall(ms: number): void;
}

interface Sleeper {
  readonly atMs: number;
  wake(): void;
}

/** Lets queued continuations run; enough turns for chains of a few hundred awaits. */
async function settleByTurns(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
}

/** Who wakes next; of those at the same time, who began to sleep first. */
function firstOf(sleepers: ReadonlySet<Sleeper>): Sleeper | undefined {
  let first: Sleeper | undefined;
  for (const sleeper of sleepers) if (first === undefined || sleeper.atMs < first.atMs) first = sleeper;
  return first;
}

/** @param settle lets everything that became possible happen; a host that has a way to wait for it all gives its own */
export function manualClock(startWallMs = 1_700_000_000_000, settle: () => Promise<void> = settleByTurns): ManualClock {
  let [monoMs, wallMs] = [0, startWallMs];
  const sleepers = new Set<Sleeper>();
  const sleep: Clock["sleep"] = (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const sleeper: Sleeper = {
        atMs: monoMs + ms,
        wake() {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", sleeper.wake);
          resolve();
        },
      };
      sleepers.add(sleeper);
      signal?.addEventListener("abort", sleeper.wake, { once: true });
    });
  return {
    ...clockBySleep({ wallMs: () => wallMs as EpochMs, monoMs: () => monoMs, sleep }),
    async advance(ms) {
      const untilMs = monoMs + ms;
      await settle();
      for (;;) {
        const next = firstOf(sleepers);
        if (next === undefined || next.atMs > untilMs) break;
        wallMs += next.atMs - monoMs;
        monoMs = Math.max(monoMs, next.atMs);
        next.wake();
        await settle();
      }
      wallMs += untilMs - monoMs;
      monoMs = untilMs;
      await settle();
    },
    jumpWall(ms) {
      wallMs += ms;
    },
  };
}
