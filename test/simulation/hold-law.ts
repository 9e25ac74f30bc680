import type { RolloutEvent } from "../../src/core/rollout/event.ts";
import type { Rollout } from "../../src/core/rollout/rollout.ts";
import type { JournalEntry } from "../../src/core/rollout/journal-entry.ts";
import type { Fail } from "./journal-laws.ts";
import { CONTROLLER, type Scenario } from "./scenario.ts";

/** Looks at the clock are this far apart, and whole verdicts too. */
const LATE_MS = 1_000;

interface Hold {
  /** In time that controllers have lived through. */
  sinceMs: number;
  pausedSinceMs: number | null;
}

/** A share is held for as long as its stage says, in time that a controller lived through, whatever its wall clock says. */
export class HoldLaw {
  readonly #fail: Fail;
  readonly #isUndisturbed: boolean;
  readonly #storeFails: boolean;
  readonly #holds = new Map<string, Hold>();

  constructor(fail: Fail, { faults }: Scenario) {
    this.#fail = fail;
    this.#storeFails = faults.some(({ kind }) => kind === "store-fails");
    const isOfController = (fault: Scenario["faults"][number]) => "node" in fault && fault.node === CONTROLLER;
    this.#isUndisturbed = faults.every((fault) => {
      if (fault.kind === "kill" || fault.kind === "store-slow" || fault.kind === "store-fails") return false;
      return fault.kind === "jump-wall" || !isOfController(fault);
    });
  }

  /** @param livedMs when it was decided, in time that controllers have lived through */
  entry(key: string, { plan, paused }: Rollout, before: Rollout, entry: JournalEntry, livedMs: number): void {
    if (this.#storeFails) return; // What waits for the store is decided earlier than this world sees it.
    const { event, phase, stageIndex } = entry;
    const hold = this.#holds.get(key);
    const isBegun = phase === "progressing" && (event.kind === "order-done" || before.phase === "waiting");
    if (isBegun) return void this.#holds.set(key, { sinceMs: livedMs, pausedSinceMs: paused ? livedMs : null });
    if (hold === undefined) return;
    if (event.kind === "commanded") this.#commanded(hold, event, livedMs);
    const stage = plan.stages[before.stageIndex];
    const isOn = event.kind === "judged" && (stageIndex > before.stageIndex || phase === "promoting");
    if (!isOn || stage === undefined || stage.kind === "probes") return;
    const heldMs = (hold.pausedSinceMs ?? livedMs) - hold.sinceMs;
    if (heldMs < stage.holdMs - 1)
      this.#fail("hold", `${key} goes on from stage ${before.stageIndex} after ${heldMs} of ${stage.holdMs} ms`);
    if (this.#isUndisturbed && stage.kind === "watch" && heldMs > stage.holdMs + LATE_MS)
      this.#fail("hold", `${key} watches for ${heldMs} ms where ${stage.holdMs} are enough`);
  }

  #commanded(hold: Hold, { command }: Extract<RolloutEvent, { kind: "commanded" }>, livedMs: number): void {
    if (command === "pause") hold.pausedSinceMs ??= livedMs;
    if (command !== "resume" || hold.pausedSinceMs === null) return;
    hold.sinceMs += livedMs - hold.pausedSinceMs;
    hold.pausedSinceMs = null;
  }
}
