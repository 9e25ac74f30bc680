import { isFinal } from "../../src/core/rollout/rollout.ts";
import type { StoredRollout } from "../../src/ports/controller-store.ts";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import type { Fail } from "./journal-laws.ts";

interface Counted {
  readonly upTo: Map<string, number>;
  candidate: number;
  /** It was over for a while: what came then is not taken in, and a promotion that is taken back goes on after it. */
  wasOver: boolean;
}

/** Every window counts once: what a rollout says the candidate answered is what the planes' windows say. */
export class Counting {
  /** While a person's word stands at a plane its windows are no evidence, and then the sum is a bound. */
  isBound = false;
  readonly #windows = new Map<string, TelemetryWindow[]>();
  readonly #counted = new Map<string, Counted>();
  readonly #fail: Fail;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  cut(window: TelemetryWindow): void {
    const windows = this.#windows.get(window.gatewayId) ?? [];
    this.#windows.set(window.gatewayId, windows);
    windows[window.seq] = window;
  }

  /** The plane forgets every window up to this one: a running rollout has them all, or it counts none of this plane. */
  acknowledged(gatewayId: string, seq: number, key: string, running: StoredRollout | undefined): void {
    if (this.#counted.get(key)?.wasOver === true) return; // It may have been taken in while it was over.
    const cursor = running?.observations.cursors[gatewayId];
    if (cursor !== undefined && cursor < seq)
      this.#fail("counting", `${gatewayId} is told that window ${seq} is taken in, ${cursor} is the last durable one`);
  }

  committed(key: string, { rollout, observations }: StoredRollout): void {
    const { cursors, sinceEpoch, totals } = observations;
    const counted = this.#counted.get(key) ?? { upTo: new Map<string, number>(), candidate: 0, wasOver: false };
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
    const isRight = this.isBound || counted.wasOver ? candidate <= counted.candidate : candidate === counted.candidate;
    counted.wasOver ||= isFinal(rollout);
    if (!isRight) this.#fail("counting", `${key} counts ${candidate} candidate requests, ${counted.candidate} came in`);
  }
}
