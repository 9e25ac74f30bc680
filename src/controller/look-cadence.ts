import type { Observations } from "../core/observe/observations.ts";
import { currentStage, type Rollout } from "../core/rollout/rollout.ts";
import { unheardCapMs } from "../core/stage/share.ts";
import type { EpochMs } from "../core/unit.ts";
import type { Clock } from "../ports/clock.ts";

/** Whole verdicts are written at most this often; a fuse never waits. */
const JUDGE_EVERY_MS = 200;
/** Whole verdicts of all rollouts together: what a small part of one core writes. */
const VERDICTS_A_SECOND = 500;
/** Where a verdict depends on time itself it is written anew this often, without anything new to judge. */
const TIMED_EVERY_MS = 1_000;

/** What a whole verdict was last written of. */
interface Looked {
  readonly rollout: Rollout;
  readonly observations: Observations;
  readonly at: EpochMs;
}

/**
 * When a rollout is judged as a whole: after news, at the end of its hold and of its cap, and not more often than all
 * rollouts of the process can be.
 */
export class LookCadence {
  readonly #clock: Clock;
  readonly #running: () => number;
  #atMonoMs = Number.NEGATIVE_INFINITY;
  #last: Looked | null = null;

  /** @param running how many rollouts the process carries out */
  constructor(clock: Clock, running: () => number) {
    this.#clock = clock;
    this.#running = running;
  }

  /** True when a whole verdict may be written, however new the evidence. */
  get isOpen(): boolean {
    const everyMs = Math.max(JUDGE_EVERY_MS, (this.#running() / VERDICTS_A_SECOND) * 1_000);
    return this.#clock.monoMs() - this.#atMonoMs >= everyMs;
  }

  /** True when a look is due. One that would tell what the last one told counts as done: looks keep their pace. */
  isDue(rollout: Rollout, observations: Observations): boolean {
    if (!this.isOpen) return false;
    if (this.#isNews(rollout, observations)) return true;
    this.judged();
    return false;
  }

  #isNews(rollout: Rollout, observations: Observations): boolean {
    if (rollout.phase === "pending" || rollout.phase === "checking") return false;
    const last = this.#last;
    if (last === null || last.rollout !== rollout || last.observations !== observations) return true;
    const nowMs = this.#clock.wallMs();
    if (isTimed(rollout) && nowMs - last.at >= TIMED_EVERY_MS) return true;
    return boundsOf(rollout).some((bound) => last.at < bound && bound <= nowMs);
  }

  /** Something beside traffic has news, such as a comparison of manifests. */
  forget(): void {
    this.#last = null;
  }

  /** A whole verdict is written. */
  judged(): void {
    this.#atMonoMs = this.#clock.monoMs();
  }

  /** What it led to is decided. @param at the time it was judged for */
  looked(rollout: Rollout, observations: Observations, at: EpochMs): void {
    this.#last = { rollout, observations, at };
  }
}

/** Rules may ask how long a share was held, and a pace how much traffic there is by now. */
function isTimed({ plan }: Rollout): boolean {
  return plan.pace !== undefined || plan.gates.some(({ instance }) => instance !== undefined);
}

/** When the hold of the share in force is over, and when its cap is reached. */
function boundsOf(rollout: Rollout): readonly number[] {
  const { holdingSince, pausedAt } = rollout;
  const stage = currentStage(rollout);
  if (holdingSince === null || pausedAt !== null || stage.kind === "probes") return [];
  return [stage.holdMs, stage.kind === "watch" ? unheardCapMs(stage.holdMs) : stage.capMs].map(
    (ms) => holdingSince + ms,
  );
}
