import type { ByArm } from "../core/arm.ts";
import type { Manifest } from "../core/release/manifest.ts";
import type { Rollout } from "../core/rollout/rollout.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import type { Verdict } from "../core/verdict.ts";
import type { Clock } from "../ports/clock.ts";
import type { HealthReader } from "../ports/health.ts";
import { compareIdentity } from "./orders/health.ts";

/** How often both arms' identity is compared again while a rollout runs; of many rollouts so many in a second. */
const COMPARE_EVERY_MS = 5_000;
const COMPARISONS_A_SECOND = 50;
/** Comparisons in a row without a manifest that are taken for a moment of silence. */
const UNREAD_IN_A_ROW = 3;

interface IdentityTools {
  readonly clock: Clock;
  readonly health: HealthReader;
  /** How many rollouts this process carries out. */
  readonly running: () => number;
}

/** Compares the manifests of a rollout's arms again and again. */
export class IdentityWatch {
  readonly #tools: IdentityTools;
  #atMonoMs = Number.NEGATIVE_INFINITY;
  #unreadInARow = 0;
  #beside: readonly Verdict[] = [];

  constructor(tools: IdentityTools) {
    this.#tools = tools;
  }

  /** What the last comparison says beside the traffic's verdicts. */
  get beside(): readonly Verdict[] {
    return this.#beside;
  }

  isDue({ phase }: Pick<Rollout, "phase">, pinned: ByArm<Manifest> | null): boolean {
    if (pinned === null || phase === "checking") return false;
    const everyMs = Math.max(COMPARE_EVERY_MS, (this.#tools.running() / COMPARISONS_A_SECOND) * 1_000);
    return this.#tools.clock.monoMs() - this.#atMonoMs >= everyMs;
  }

  /**
   * One comparison. What it says beside the traffic is known from then on; the verdicts come back.
   * @param stateOf the rollout once the answers are there
   */
  async compare(
    plan: RolloutPlan,
    pinned: ByArm<Manifest>,
    stateOf: () => Pick<Rollout, "verdicts">,
  ): Promise<readonly Verdict[]> {
    const { clock, health } = this.#tools;
    this.#atMonoMs = clock.monoMs();
    const { verdicts } = await compareIdentity(plan, pinned, health, clock.timeout(COMPARE_EVERY_MS));
    this.#countUnread(verdicts, stateOf());
    return verdicts;
  }

  /**
   * Silence for longer than a moment is no data: it holds, and after the cap of the stage a person is asked. The state
   * keeps the last verdict of a gate, over a restart too, so an answer that comes back is told as well.
   */
  #countUnread(verdicts: readonly Verdict[], state: Pick<Rollout, "verdicts">): void {
    const unread = verdicts.filter(({ kind }) => kind === "error");
    this.#unreadInARow = unread.length === 0 ? 0 : this.#unreadInARow + 1;
    const isHeld = (gate: string) => state.verdicts.some((one) => one.gate === gate && one.kind === "no-data");
    if (unread.length === 0) this.#beside = verdicts.filter(({ gate, kind }) => kind === "pass" && isHeld(gate));
    else if (this.#unreadInARow > UNREAD_IN_A_ROW)
      this.#beside = unread.map((verdict) => ({ ...verdict, kind: "no-data" }));
  }
}
