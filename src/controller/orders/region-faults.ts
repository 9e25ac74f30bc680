import { type Fault, FAULT_LEASE_MS } from "../../core/drill/fault.ts";
import type { LiveCheck } from "../../core/drill/checks.ts";
import { LIVE_CHECKS } from "../../core/drill/checks.ts";
import { verdictOf } from "../../core/drill/compare.ts";
import type { ApplyFaultOrder, NoticeFaultOrder, RevertFaultOrder } from "../../core/drill/order.ts";
import type { DrillInForce, DrillPlan } from "../../core/drill/plan.ts";
import type { Verdict } from "../../core/verdict.ts";
import { nothing } from "../../contract/order.ts";
import { noticing } from "../../contract/region-order.ts";
import type { FaultAgent, FaultStatus } from "../../ports/fault-agent.ts";
import { withinBudget } from "./budget.ts";
import type { DrillTools } from "./drill-tools.ts";
import { A_MOMENT, DONE, type Executor, executor, type Outcome } from "./executor.ts";
import { askCheck } from "./region-checks.ts";
import { live } from "./region-watch.ts";

const LOOK_MS = 500;

/** `fault.apply`, `fault.revert` and `fault.notice`: what is broken on purpose, and that a check sees it. */
export function regionFaults(tools: DrillTools): readonly Executor<DrillInForce>[] {
  return [applies(tools), reverts(tools), notices(tools)];
}

/** One fault of one drill: a second one of the same agent is refused. */
const faultIdOf = ({ drillId, generation }: DrillPlan) => `${drillId}/${generation}`;

function agentOf({ faultAgent }: Pick<DrillTools, "faultAgent">, plan: DrillPlan): { agent: FaultAgent; fault: Fault } {
  const { fault, agentUrl } = plan.fault ?? { fault: null, agentUrl: null };
  if (fault === null || agentUrl === null)
    throw new Error(`invariant: ${plan.drillId} breaks something, and says not what`);
  return { agent: faultAgent(agentUrl), fault };
}

/** Lets the fault of a drill go on for a lease. */
export function renewFault(
  tools: Pick<DrillTools, "faultAgent">,
  plan: DrillPlan,
  signal: AbortSignal,
): Promise<FaultStatus> {
  return agentOf(tools, plan).agent.renew(faultIdOf(plan), FAULT_LEASE_MS, signal);
}

function applies(tools: DrillTools): Executor<DrillInForce> {
  return executor<ApplyFaultOrder["args"], void, DrillInForce>({
    port: "fault",
    verb: "apply",
    args: nothing,
    retry: A_MOMENT,
    async apply(_, { plan }, signal) {
      const { agent, fault } = agentOf(tools, plan);
      await agent.apply(faultIdOf(plan), fault, FAULT_LEASE_MS, signal);
    },
    async verify(_, __, { plan }, signal) {
      const { faultId } = await agentOf(tools, plan).agent.status(signal);
      return faultId === faultIdOf(plan) ? DONE : failed(`the agent says ${faultId ?? "nothing"} is in force`);
    },
  });
}

function reverts(tools: DrillTools): Executor<DrillInForce> {
  return executor<RevertFaultOrder["args"], void, DrillInForce>({
    port: "fault",
    verb: "revert",
    args: nothing,
    retry: A_MOMENT,
    async apply(_, { plan }, signal) {
      await agentOf(tools, plan).agent.revert(faultIdOf(plan), signal);
    },
    async verify(_, __, { plan }, signal) {
      const { faultId } = await agentOf(tools, plan).agent.status(signal);
      return faultId === null ? DONE : failed(`${faultId} is still in force`);
    },
  });
}

const failed = (message: string): Outcome => ({ kind: "failed", code: "unverified", message });

/** Asked until it does not pass: nothing heard of a region counts, since that is how a blackhole shows. */
function notices(tools: DrillTools): Executor<DrillInForce> {
  const { clock } = tools;
  return executor<NoticeFaultOrder["args"], Outcome, DrillInForce>({
    port: "fault",
    verb: "notice",
    args: noticing,
    retry: { tries: 1, firstPauseMs: 0 },
    apply: (order, { plan, pinned }, signal) =>
      withinBudget(order, clock, signal, async (limit): Promise<Outcome> => {
        const { check, of } = order.args;
        const [fromWallMs, untilMs] = [clock.wallMs(), clock.monoMs() + order.withinMs - 2 * LOOK_MS];
        for (;;) {
          const asked = { plan, pinned, of };
          const verdict = isLive(check)
            ? await live(tools, check, asked, { fromWallMs, isEnd: true }, limit)
            : await askCheck(tools, check, asked, limit);
          limit.throwIfAborted();
          if (isNoticed(verdict, plan)) return { kind: "done", verdicts: [noticed(verdict)] };
          if (clock.monoMs() >= untilMs) return failed(`${check} says ${verdict.kind}: ${verdict.reason}`);
          await clock.sleep(LOOK_MS, limit);
          limit.throwIfAborted();
        }
      }),
    verify: (found) => Promise.resolve(found),
  });
}

const isLive = (check: string): check is LiveCheck => (LIVE_CHECKS as readonly string[]).includes(check);

function isNoticed({ kind }: Verdict, { fault }: DrillPlan): boolean {
  return kind === "fail" || (kind === "no-data" && fault?.fault?.kind === "blackhole");
}

function noticed(found: Verdict): Verdict {
  const { estimate, threshold, samples } = found;
  const numbers = { estimate, threshold, samples: samples.candidate };
  return verdictOf(`notices_${found.gate}`, "pass", `noticed by ${found.gate}: ${found.reason}`, numbers);
}
