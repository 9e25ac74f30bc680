import type { ServingArm } from "../arm.ts";
import type { OrderOf, Unnumbered } from "../process/order.ts";
import type { Bp } from "../unit.ts";

/** What a document is to say: whose share, which arms are closed, what becomes of the two. */
export type Split = {
  readonly candidateBp: Bp;
  /** Arms that nothing may select while this document is in force. */
  readonly closed: readonly ServingArm[];
  /** `swap`: the candidate becomes the only stable arm, at the end of a promotion. */
  readonly arms: "both" | "swap";
  /** The candidate answers copies, as the plan has it; absent: there are none. */
  readonly shadow?: true;
  /** A rollback, a promotion or a retreat starts a new epoch; a step of the ladder does not. */
  readonly newEpoch: boolean;
};

/** Publish the routing document and read it back from the data plane; done means "served", not "accepted". */
export type PublishOrder = OrderOf<"traffic", "publish", Split>;

/** Read what both arms say they are, and compare. */
export type CompareOrder = OrderOf<"health", "compare", Record<string, never>>;

/** Ask the gold questions of both arms. */
export type AskOrder = OrderOf<
  "probe",
  "ask",
  {
    readonly tier: "smoke" | "full";
    /** Repetitions beyond the plan's, for a set that the first run left undecided. Earlier runs are reused. */
    readonly extraRepeats: number;
  }
>;

/** Everything that a rollout asks for. */
export type RolloutOrder = PublishOrder | CompareOrder | AskOrder;

/** Longest wait for the data planes to serve a document. */
const SERVED_WITHIN_MS = 5_000;
/** Longest wait for both health answers; who reads them gives up sooner. */
const COMPARED_WITHIN_MS = 10_000;
/** A day: even a great gold set at a careful rate is through by then. */
const ASKED_WITHIN_MS = 86_400_000;

export function publish(args: Split): Unnumbered<PublishOrder> {
  return { port: "traffic", verb: "publish", args, withinMs: SERVED_WITHIN_MS };
}

export function compare(): Unnumbered<CompareOrder> {
  return { port: "health", verb: "compare", args: {}, withinMs: COMPARED_WITHIN_MS };
}

export function ask(args: AskOrder["args"]): Unnumbered<AskOrder> {
  return { port: "probe", verb: "ask", args, withinMs: ASKED_WITHIN_MS };
}
