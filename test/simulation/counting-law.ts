import type { StoredRollout } from "../../src/ports/controller-store.ts";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import type { Fail } from "./journal-laws.ts";

interface Counted {
  readonly upTo: Map<string, number>;
  candidate: number;
}

/** Every window counts once: what a rollout says the candidate answered is what the planes' windows say. */
export class Counting {
  /** While a person's word stands at a plane its windows are no evidence, and then the sum is a bound. */
  isBound = false;
  readonly #windows = new Map<string, TelemetryWindow[]>();
  readonly #counted = new Map<string, Counted>();
  readonly #acknowledged = new Map<string, number>();
  readonly #fail: Fail;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  cut(window: TelemetryWindow): void {
    const windows = this.#windows.get(window.gatewayId) ?? [];
    this.#windows.set(window.gatewayId, windows);
    windows[window.seq] = window;
  }

  /** The plane forgets every window up to this one: the controller has it. */
  acknowledged(gatewayId: string, seq: number): void {
    this.#acknowledged.set(gatewayId, Math.max(seq, this.#acknowledged.get(gatewayId) ?? 0));
  }

  committed(key: string, { observations }: StoredRollout): void {
    const { cursors, sinceEpoch, totals } = observations;
    const counted = this.#counted.get(key) ?? { upTo: new Map<string, number>(), candidate: 0 };
    this.#counted.set(key, counted);
    for (const [gatewayId, cursor] of Object.entries(cursors)) {
      const before = counted.upTo.get(gatewayId) ?? -1;
      if (cursor < before) this.#fail("counting", `the cursor of ${gatewayId} went from ${before} to ${cursor}`);
      for (const window of this.#windows.get(gatewayId)?.slice(before + 1, cursor + 1) ?? []) {
        if (sinceEpoch !== null && window.document.epoch >= sinceEpoch)
          counted.candidate += window.arms.candidate.requestsAll;
      }
      counted.upTo.set(gatewayId, cursor);
    }
    const { candidate } = totals.requests;
    const isRight = this.isBound ? candidate <= counted.candidate : candidate === counted.candidate;
    if (!isRight) this.#fail("counting", `${key} counts ${candidate} candidate requests, ${counted.candidate} came in`);
  }

  /** What was acknowledged and is in no count, of a plane whose windows a running rollout takes in. */
  missing(key: string): readonly string[] {
    const counted = this.#counted.get(key);
    return [...this.#acknowledged].flatMap(([gatewayId, seq]) => {
      const upTo = counted?.upTo.get(gatewayId) ?? -1;
      return upTo < seq
        ? [`${gatewayId} was told that window ${seq} is taken in, ${upTo} is the last one that is`]
        : [];
    });
  }
}
