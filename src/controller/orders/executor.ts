import type { z } from "zod";
import type { ByArm } from "../../core/arm.ts";
import type { Manifest } from "../../core/release/manifest.ts";
import { type Order, type OrderArgs, orderName } from "../../core/process/order.ts";
import type { Bp } from "../../core/unit.ts";
import type { Verdict } from "../../core/verdict.ts";

/** What came of an order: it is so, or why it cannot be said to be so. */
export type Outcome =
  | { readonly kind: "done"; readonly verdicts: readonly Verdict[]; readonly pinned?: ByArm<Manifest> }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

/** Done, with nothing measured. */
export const DONE: Outcome = { kind: "done", verdicts: [] };

/** Who ordered: the plan, the manifests that were pinned, and the share last ordered. */
export interface Orderer<Plan> {
  readonly plan: Plan;
  readonly pinned: ByArm<Manifest> | null;
  readonly candidateBp: Bp;
}

/** How often a conversation that failed is tried again, when its error says that it may be. */
export interface Retry {
  readonly tries: number;
  /** Before the second try; it doubles with each. */
  readonly firstPauseMs: number;
}

/** A conversation that failed for a moment is over in a second and a half, or is a failure. */
export const A_MOMENT: Retry = { tries: 4, firstPauseMs: 200 };

/** How orders of one port and verb are carried out for processes with such a plan. */
export interface Executor<Plan> {
  /** `port.verb`. */
  readonly name: string;
  readonly retry: Retry;
  /** One try. Rejects with DriverError, or with the signal's reason. May be called again, after a crash too. */
  attempt(order: Order, by: Orderer<Plan>, signal: AbortSignal): Promise<Outcome>;
}

/** An order of which the arguments are known to be what its executor takes. */
type Checked<Args> = Omit<Order, "args"> & { readonly args: Args };

/** The parts of an executor. */
interface Parts<Args, Applied, Plan> {
  readonly port: string;
  readonly verb: string;
  readonly args: z.ZodType<Args>;
  readonly retry: Retry;
  /** Asks for it. Asked a second time, it changes nothing more. */
  apply(order: Checked<Args>, by: Orderer<Plan>, signal: AbortSignal): Promise<Applied>;
  /** Reads back whether it is so, for `order.withinMs` at most. "Accepted" is not "done". */
  verify(applied: Applied, order: Checked<Args>, by: Orderer<Plan>, signal: AbortSignal): Promise<Outcome>;
}

/** An executor of its parts: what was journalled is checked, asked for, and read back. */
export function executor<Args, Applied, Plan>(parts: Parts<Args, Applied, Plan>): Executor<Plan> {
  const name = orderName(parts);
  return {
    name,
    retry: parts.retry,
    async attempt(order, by, signal) {
      const args = parts.args.safeParse(order.args satisfies OrderArgs);
      if (!args.success) throw new Error(`${order.id} says nothing that ${name} takes: ${args.error.message}`);
      const checked = { ...order, args: args.data };
      return parts.verify(await parts.apply(checked, by, signal), checked, by, signal);
    },
  };
}
