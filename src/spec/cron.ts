import { Cron } from "croner";

/** A time in which something may not begin: when it starts, as a cron pattern in UTC, and how long it lasts. */
interface Window {
  readonly cron: string;
  readonly forMs: number;
}

const pattern = (text: string) => new Cron(text, { timezone: "UTC" });

/** Why a text is no cron pattern; null when it is one. */
export function whyNoPattern(text: string): string | null {
  try {
    pattern(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** When the window ends that is open at a time, in milliseconds since the epoch; null while none is. */
export function openWindow(windows: readonly Window[], atMs: number): number | null {
  const ends = windows.map(({ cron, forMs }) => {
    // The last start that is not over: looked for from before it, because a pattern tells what comes next.
    let start = pattern(cron).nextRun(new Date(atMs - forMs - 1_000));
    let endMs = 0;
    while (start !== null && start.getTime() <= atMs) {
      if (start.getTime() + forMs > atMs) endMs = Math.max(endMs, start.getTime() + forMs);
      start = pattern(cron).nextRun(start);
    }
    return endMs;
  });
  const last = Math.max(0, ...ends);
  return last === 0 ? null : last;
}

/** The first time after `afterMs` that a pattern names, in milliseconds since the epoch; null when there is none. */
export function nextTime(cron: string, afterMs: number): number | null {
  return pattern(cron).nextRun(new Date(afterMs))?.getTime() ?? null;
}
