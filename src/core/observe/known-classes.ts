import type { ErrorClass, TelemetryWindow } from "../window/window.ts";

/** How long a class that stable showed counts as known (definitions.md §8: stable's baseline window). */
const BASELINE_MS = 3_600_000;
const CLASSES_MAX = 256;

/** Error classes stable showed lately, by service: what a new rollout may not call new. */
export class KnownClassesByService {
  readonly #seen = new Map<string, Map<ErrorClass, number>>();

  learn(service: string, windows: readonly TelemetryWindow[], nowMonoMs: number): void {
    const seen = this.#seen.get(service) ?? new Map<ErrorClass, number>();
    for (const { arms } of windows) {
      for (const name of Object.keys(arms.stable.classes))
        if (seen.has(name) || seen.size < CLASSES_MAX) seen.set(name, nowMonoMs);
    }
    this.#seen.set(service, seen);
  }

  of(service: string, nowMonoMs: number): readonly ErrorClass[] {
    const seen = this.#seen.get(service) ?? new Map<ErrorClass, number>();
    return [...seen].filter(([, atMs]) => nowMonoMs - atMs <= BASELINE_MS).map(([name]) => name);
  }
}
