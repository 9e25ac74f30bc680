import type { ServingArm } from "../../core/arm.ts";
import type { CheckIndexOrder, FlipIndexOrder } from "../../core/cutover/order.ts";
import type { IndexPlan } from "../../core/cutover/resources.ts";
import { expectationOf, judgeClaims, judgeIndex } from "../../core/release/index-check.ts";
import type { ManifestField } from "../../core/release/manifest.ts";
import type { Verdict } from "../../core/verdict.ts";
import { indexChecking, indexFlipping } from "../../contract/index-order.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FlipResult, IndexAliases } from "../../ports/index-alias.ts";
import { A_MOMENT, DONE, type Executor, executor, type Orderer, type Outcome } from "./executor.ts";
import { readBack, readingText } from "./index-read-back.ts";

export interface IndexTools {
  /** Opens the store that the plan names; each try of an order closes it again. */
  readonly openIndex: (plan: IndexPlan, signal: AbortSignal) => Promise<IndexAliases>;
  readonly clock: Clock;
}

/** A plan that may have an index to cut over. */
export interface IndexCutover {
  readonly cutover: { readonly index: IndexPlan | null };
  /** Fields that differ between the arms by intention. */
  readonly changes: readonly ManifestField[];
}

const OTHER = { stable: "candidate", candidate: "stable" } as const satisfies Record<ServingArm, ServingArm>;
/** An index that is not ready yet is looked at again. */
const LOOK_EVERY_MS = 500;

/** `index.check` and `index.flip`. */
export function indexOrders<Plan extends IndexCutover>(tools: IndexTools): readonly Executor<Plan>[] {
  return [checks(tools), flips(tools)];
}

async function withIndex<T>(
  { openIndex }: IndexTools,
  { cutover: { index: plan } }: IndexCutover,
  signal: AbortSignal,
  work: (aliases: IndexAliases, plan: IndexPlan) => Promise<T>,
): Promise<T> {
  if (plan === null) throw new Error("invariant: an order of an index, and the plan names no index");
  const aliases = await openIndex(plan, signal);
  try {
    return await work(aliases, plan);
  } finally {
    await aliases.close().catch(() => {}); // It was of use, or its error is on its way already.
  }
}

/** What the index of an arm says of itself, compared with what is expected of it. It only reads. */
function checks<Plan extends IndexCutover>(tools: IndexTools): Executor<Plan> {
  return executor<CheckIndexOrder["args"], readonly Verdict[], Plan>({
    port: "index",
    verb: "check",
    args: indexChecking,
    retry: A_MOMENT,
    apply: ({ args: { arm }, withinMs }, by, signal) =>
      withIndex(tools, by.plan, signal, (aliases, index) =>
        judgeArm({ aliases, index, arm, withinMs, clock: tools.clock }, by, signal),
      ),
    verify: async (verdicts) => ({ kind: "done", verdicts }),
  });
}

interface Check {
  readonly aliases: IndexAliases;
  readonly index: IndexPlan;
  readonly arm: ServingArm;
  readonly withinMs: number;
  readonly clock: Clock;
}

/** Waits within the budget for an index that is not ready, then judges it as it is. */
async function judgeArm(
  { aliases, index, arm, withinMs, clock }: Check,
  { plan, pinned }: Orderer<IndexCutover>,
  signal: AbortSignal,
): Promise<readonly Verdict[]> {
  const [name, planned, manifest] = [index.index[arm], index.indexHash[arm], pinned?.[arm] ?? null];
  const deadline = clock.monoMs() + withinMs;
  for (;;) {
    const facts = await aliases.describe(name, signal);
    const isReady = facts === null || facts.notReady === null;
    if (isReady || clock.monoMs() + LOOK_EVERY_MS >= deadline) {
      const other = await aliases.describe(index.index[OTHER[arm]], signal);
      const expected = expectationOf(planned, manifest, other, plan.changes);
      return [...judgeClaims(arm, planned, manifest), ...judgeIndex(name, facts, expected)];
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}

/** What a flip came to, and the stamp that readers must meet then; null: the index carries none. */
interface Flipped {
  readonly result: FlipResult;
  readonly indexHash: string | null;
}

/** The public name is moved with the order's epoch, then read back through that very name. */
function flips<Plan extends IndexCutover>(tools: IndexTools): Executor<Plan> {
  return executor<FlipIndexOrder["args"], Flipped, Plan>({
    port: "index",
    verb: "flip",
    args: indexFlipping,
    retry: A_MOMENT,
    apply({ id, epoch, args: { to } }, { plan }, signal) {
      if (epoch === undefined) throw new Error(`invariant: ${id} moves a public name and carries no epoch`);
      return withIndex(tools, plan, signal, async (aliases, { alias, index, indexHash }) => {
        const result = await aliases.flip({ alias, from: index[OTHER[to]], to: index[to], epoch }, signal);
        const facts = indexHash[to] === null ? await aliases.describe(index[to], signal) : null;
        return { result, indexHash: indexHash[to] ?? facts?.stamp?.indexHash ?? null };
      });
    },
    verify: ({ result, indexHash }, { args: { to }, withinMs }, { plan }, signal) =>
      withIndex(tools, plan, signal, async (aliases, { alias, index }): Promise<Outcome> => {
        if (result.kind === "refused") return { kind: "failed", code: "refused", message: result.why };
        if (indexHash === null) {
          const message = `${alias} was moved to ${index[to]}, which carries no stamp: nobody can tell what readers meet`;
          return { kind: "failed", code: "unverified", message };
        }
        const expected = { alias, index: index[to], indexHash };
        const reading = await readBack(aliases, expected, withinMs, tools.clock, signal);
        if (reading.isConfirmed) return DONE;
        return { kind: "failed", code: "unverified", message: readingText(expected, reading) };
      }),
  });
}
