import { judgeProbes } from "../../core/judge/engine.ts";
import type { AskOrder } from "../../core/rollout/order.ts";
import type { RolloutPlan } from "../../core/stage/plan.ts";
import type { ProbeReport } from "../../core/measure/report.ts";
import { asking } from "../../contract/order.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ControllerStore } from "../../ports/controller-store.ts";
import type { ProbeRunner } from "../../ports/probe-runner.ts";
import { A_MOMENT, type Executor, executor } from "./executor.ts";
import { withinBudget } from "./budget.ts";

export interface ProbeTools {
  readonly probes: ProbeRunner;
  readonly store: ControllerStore;
  readonly clock: Clock;
}

/** `probe.ask`: the gold questions of both arms. It only reads; what was measured is stored before it is judged. */
export function probing({ probes, store, clock }: ProbeTools): Executor<RolloutPlan> {
  return executor<AskOrder["args"], ProbeReport, RolloutPlan>({
    port: "probe",
    verb: "ask",
    args: asking,
    retry: A_MOMENT,
    apply: (order, { plan }, signal) =>
      withinBudget(order, clock, signal, (limit) => probes.run({ plan, ...order.args }, limit)),
    async verify(report, { id }, { plan, candidateBp }) {
      await store.commit({ report: { rolloutId: plan.rolloutId, orderId: id, report } });
      const view = { kind: "probes", candidateBp, heldMs: 0, holdMs: 0 } as const;
      return { kind: "done", verdicts: judgeProbes(report, view, plan.gates) };
    },
  });
}
