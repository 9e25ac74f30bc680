import type { ServingArm } from "../../core/arm.ts";
import type { CheckIndexOrder, FlipIndexOrder } from "../../core/cutover/order.ts";
import type { IndexPlan, ResourcePlace } from "../../core/cutover/resources.ts";
import { expectationOf, judgeClaims, judgeIndex } from "../../core/release/index-check.ts";
import type { ManifestField } from "../../core/release/manifest.ts";
import type { Verdict } from "../../core/verdict.ts";
import { indexChecking, indexFlipping } from "../../contract/cutover-order.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FlipResult, IndexAliases } from "../../ports/index-alias.ts";
import { A_MOMENT, DONE, type Executor, executor, type Orderer, type Outcome } from "./executor.ts";
import { readBack, readingText } from "./index-read-back.ts";

/** What a plan says of the index that is cut over. */
export interface IndexTerms {
  readonly index: IndexPlan | null;
  /** Fields that differ between the arms by intention. */
  readonly changes: readonly ManifestField[];
}

export interface IndexTools<Plan> {
  /** The store at a place; whoever opens it closes it. */
  readonly open: (place: ResourcePlace) => IndexAliases;
  readonly termsOf: (plan: Plan) => IndexTerms;
  readonly clock: Clock;
}

const OTHER = { stable: "candidate", candidate: "stable" } as const satisfies Record<ServingArm, ServingArm>;
/** An index that is not ready yet is looked at again. */
const LOOK_EVERY_MS = 500;

function planOf<Plan>({ termsOf }: IndexTools<Plan>, { plan }: Orderer<Plan>, orderId: string): IndexPlan {
  const { index } = termsOf(plan);
  if (index === null) throw new Error(`${orderId} is of a plan that names no index`);
  return index;
}

/** `index.check`: what an arm's index says of itself, compared with what is expected of it. It only reads. */
export function checkingIndex<Plan>(tools: IndexTools<Plan>): Executor<Plan> {
  const { clock } = tools;
  return executor<CheckIndexOrder["args"], readonly Verdict[], Plan>({
    port: "index",
    verb: "check",
    args: indexChecking,
    retry: A_MOMENT,
    async apply({ id, args: { arm }, withinMs }, by, signal) {
      const plan = planOf(tools, by, id);
      const aliases = tools.open(plan);
      const manifest = by.pinned?.[arm] ?? null;
      const [name, planned] = [plan.index[arm], plan.indexHash[arm]];
      const deadline = clock.monoMs() + withinMs;
      for (;;) {
        const facts = await aliases.describe(name, signal);
        const isLater = facts?.notReady != null && clock.monoMs() + LOOK_EVERY_MS < deadline;
        if (!isLater) {
          const other = await aliases.describe(plan.index[OTHER[arm]], signal);
          const expected = expectationOf(planned, manifest, other, tools.termsOf(by.plan).changes);
          return [...judgeClaims(arm, planned, manifest), ...judgeIndex(name, facts, expected)];
        }
        await clock.sleep(LOOK_EVERY_MS, signal);
        signal.throwIfAborted();
      }
    },
    verify: async (verdicts) => ({ kind: "done", verdicts }),
  });
}

/** What a flip came to, and the stamp that readers must meet then; null: the index carries none. */
interface Flipped {
  readonly result: FlipResult;
  readonly indexHash: string | null;
}

/** `index.flip`: the public name is moved with the order's epoch, then read back through that very name. */
export function flippingIndex<Plan>(tools: IndexTools<Plan>): Executor<Plan> {
  return executor<FlipIndexOrder["args"], Flipped, Plan>({
    port: "index",
    verb: "flip",
    args: indexFlipping,
    retry: A_MOMENT,
    async apply({ id, epoch, args: { to } }, by, signal) {
      if (epoch === undefined) throw new Error(`${id} moves a public name and carries no epoch`);
      const plan = planOf(tools, by, id);
      const aliases = tools.open(plan);
      const flip = { alias: plan.alias, from: plan.index[OTHER[to]], to: plan.index[to], epoch };
      const result = await aliases.flip(flip, signal);
      const facts = plan.indexHash[to] === null ? await aliases.describe(flip.to, signal) : null;
      return { result, indexHash: plan.indexHash[to] ?? facts?.stamp?.indexHash ?? null };
    },
    async verify({ result, indexHash }, { id, args: { to }, withinMs }, by, signal): Promise<Outcome> {
      if (result.kind === "refused") return { kind: "failed", code: "refused", message: result.why };
      const plan = planOf(tools, by, id);
      const [alias, index] = [plan.alias, plan.index[to]];
      if (indexHash === null) {
        const message = `${alias} was moved to ${index}, which carries no stamp: nobody can tell what readers meet`;
        return { kind: "failed", code: "unverified", message };
      }
      const expected = { alias, index, indexHash };
      const reading = await readBack(tools.open(plan), expected, withinMs, tools.clock, signal);
      if (reading.isConfirmed) return DONE;
      return { kind: "failed", code: "unverified", message: readingText(expected, reading) };
    },
  });
}
