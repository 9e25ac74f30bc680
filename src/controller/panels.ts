import type { ByArm, ServingArm } from "../core/arm.ts";
import type { EpochMs } from "../core/unit.ts";
import { mergeArmWindows } from "../core/window/merge.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW } from "../core/window/window.ts";

/** Quantiles and levels speak of this much traffic: one full minute and the one that fills. */
const MINUTE_MS = 60_000;
/** Rollouts that are shown; older ones leave. */
const ROLLOUTS_MAX = 64;

/** One arm's numbers for people. */
export interface ArmPanel {
  /** Counted since this process began. */
  readonly counters: ArmWindow["counters"];
  readonly fiveXx: number;
  /** Latencies and levels of the last one to two minutes. */
  readonly lately: Pick<ArmWindow, "warm" | "cold" | "timings" | "gauges">;
}

interface Panel {
  total: ByArm<Pick<ArmPanel, "counters" | "fiveXx">>;
  minute: number;
  filling: ByArm<ArmWindow>;
  full: ByArm<ArmWindow>;
}

const EMPTY: ByArm<ArmWindow> = { stable: EMPTY_ARM_WINDOW, candidate: EMPTY_ARM_WINDOW };
const NOTHING = { counters: {}, fiveXx: 0 };

/**
 * Numbers for people's panels, in memory: no gate reads them, and a restart begins them anew, as collectors expect of
 * counters.
 */
export class Panels {
  readonly #panels = new Map<string, Panel>();

  take(rolloutId: string, arms: ByArm<ArmWindow>, endMs: EpochMs): void {
    const panel = this.#panels.get(rolloutId) ?? {
      total: { stable: NOTHING, candidate: NOTHING },
      minute: 0,
      filling: EMPTY,
      full: EMPTY,
    };
    this.#panels.delete(rolloutId); // The one heard last is the youngest.
    this.#panels.set(rolloutId, panel);
    turnTo(panel, Math.floor(endMs / MINUTE_MS));
    panel.total = both((arm) => ({
      counters: mergeArmWindows({ ...EMPTY_ARM_WINDOW, counters: panel.total[arm].counters }, arms[arm]).counters,
      fiveXx: panel.total[arm].fiveXx + fiveXxOf(arms[arm]),
    }));
    panel.filling = both((arm) => mergeArmWindows(panel.filling[arm], lately(arms[arm])));
    const [oldest] = this.#panels.keys();
    if (this.#panels.size > ROLLOUTS_MAX && oldest !== undefined) this.#panels.delete(oldest);
  }

  /** Null for a rollout of which nothing was heard since this process began. */
  of(rolloutId: string, arm: ServingArm): ArmPanel | null {
    const panel = this.#panels.get(rolloutId);
    if (panel === undefined) return null;
    return { ...panel.total[arm], lately: mergeArmWindows(panel.full[arm], panel.filling[arm]) };
  }
}

function turnTo(panel: Panel, minute: number): void {
  if (minute <= panel.minute) return;
  panel.full = minute === panel.minute + 1 ? panel.filling : EMPTY;
  panel.filling = EMPTY;
  panel.minute = minute;
}

function both<T>(make: (arm: ServingArm) => T): ByArm<T> {
  return { stable: make("stable"), candidate: make("candidate") };
}

/** Classes are left out: there is no bound to their names over many windows. */
function lately({ warm, cold, gauges, timings = {} }: ArmWindow): ArmWindow {
  return { ...EMPTY_ARM_WINDOW, warm, cold, gauges, timings };
}

function fiveXxOf({ classes }: ArmWindow): number {
  const found = Object.entries(classes).filter(([name]) => name.split("|")[1] === "5xx");
  return found.reduce((sum, [, count]) => sum + count, 0);
}
