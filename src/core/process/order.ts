import type { Json } from "../canonical-json.ts";
import type { EpochMs } from "../unit.ts";
import type { Verdict } from "../verdict.ts";

/** What an order says beside its port and verb. Data; whoever carries it out checks it again. */
export type OrderArgs = { readonly [name: string]: Json };

/**
 * Work that a machine asks for: a verb at a port. The set is open; whoever carries one out is found by `port.verb`.
 * The id is `process/generation/index`, deterministic, so that carrying an order out again after a crash is recognised.
 * Every order may be carried out twice; what became of it comes back as an event with its id.
 */
export interface Order {
  readonly id: string;
  readonly port: string;
  readonly verb: string;
  readonly args: OrderArgs;
  /**
   * Budget in milliseconds until it is confirmed: of reading it back, where it changes something; of all of it, where
   * it only reads. What is not confirmed by then is not done.
   */
  readonly withinMs: number;
  /** Fencing token: what it changes refuses a lower one than it has seen. Absent where the port numbers by itself. */
  readonly epoch?: number;
  /** What takes it back: an order of its own then, with its own id and its own reading back. */
  readonly undo?: Task;
}

/** Work as a plan says it: an order that has no id and no epoch yet. */
export type Task = Pick<Order, "port" | "verb" | "args" | "withinMs">;

/** An order before it has an id. */
export type Unnumbered<Work extends Order> = Work extends Order ? Omit<Work, "id"> : never;

/** An order of one family, with what it takes. */
export interface OrderOf<Port extends string, Verb extends string, Args extends OrderArgs> extends Order {
  readonly port: Port;
  readonly verb: Verb;
  readonly args: Args;
}

/** The order was carried out and read back. Orders that measure bring the verdicts of their gates, others none. */
export interface OrderDone {
  readonly kind: "order-done";
  readonly at: EpochMs;
  readonly orderId: string;
  /** `port.verb`. */
  readonly order: string;
  readonly verdicts: readonly Verdict[];
}

/** It was not, or nobody could read back that it was. Whoever carried it out has tried again already. */
export interface OrderFailed {
  readonly kind: "order-failed";
  readonly at: EpochMs;
  readonly orderId: string;
  /** `port.verb`. */
  readonly order: string;
  readonly code: string;
  readonly message: string;
}

/** The name of a family of orders, by which whoever carries it out is found. */
export function orderName({ port, verb }: Pick<Order, "port" | "verb">): string {
  return `${port}.${verb}`;
}

/** The id of a process's order. */
export function orderId(processId: string, generation: number, index: number): string {
  return `${processId}/${generation}/${index}`;
}

/** The awaited order that a result is of; null for the late result of an order that nobody waits for any more. */
export function awaitedBy<Work extends Order>(
  awaiting: readonly Work[],
  result: Pick<OrderDone, "orderId">,
): Work | null {
  return awaiting.find(({ id }) => id === result.orderId) ?? null;
}
