import type { ByArm } from "../../core/arm.ts";
import { judgeIdentity } from "../../core/judge/engine.ts";
import type { Manifest } from "../../core/release/manifest.ts";
import type { CompareOrder } from "../../core/rollout/order.ts";
import type { ComparedPlan } from "../../core/stage/plan.ts";
import { overall } from "../../core/verdict.ts";
import { nothing } from "../../contract/order.ts";
import type { Clock } from "../../ports/clock.ts";
import type { HealthReader } from "../../ports/health.ts";
import { A_MOMENT, type Executor, executor, type Outcome } from "./executor.ts";
import { withinBudget } from "./budget.ts";

export interface HealthTools {
  readonly health: HealthReader;
  readonly clock: Clock;
}

/** `health.compare`: what both arms say they are, read and compared. It only reads, so what was read is the proof. */
export function comparing({ health, clock }: HealthTools): Executor<ComparedPlan> {
  return executor<CompareOrder["args"], Outcome, ComparedPlan>({
    port: "health",
    verb: "compare",
    args: nothing,
    retry: A_MOMENT,
    apply: (order, { plan, pinned }, signal) =>
      withinBudget(order, clock, signal, (limit) => compareIdentity(plan, pinned, health, limit)),
    verify: (found) => Promise.resolve(found),
  });
}

/** Reads both manifests and compares them; the first pass pins them for the rest of the rollout. */
export async function compareIdentity(
  plan: ComparedPlan,
  pinned: ByArm<Manifest> | null,
  health: HealthReader,
  signal: AbortSignal,
): Promise<Extract<Outcome, { kind: "done" }>> {
  const read = (arm: ComparedPlan["arms"]["stable"]) =>
    arm.healthUrl === null
      ? Promise.resolve({ kind: "unreadable", reason: "the document gives no health endpoint" } as const)
      : health.read(arm.healthUrl, signal, arm);
  const [stable, candidate] = await Promise.all([read(plan.arms.stable), read(plan.arms.candidate)]);
  const verdicts = judgeIdentity(pinned, { stable, candidate }, plan.changes, plan.gates);
  const canPin = overall(verdicts) === "pass" && stable.kind === "read" && candidate.kind === "read";
  const pins = canPin ? { pinned: { stable: stable.manifest, candidate: candidate.manifest } } : {};
  return { kind: "done", verdicts, ...pins };
}
