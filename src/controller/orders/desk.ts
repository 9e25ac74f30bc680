import { type Order, orderName } from "../../core/process/order.ts";
import type { Clock } from "../../ports/clock.ts";
import { carryOut, type Executors } from "./carry-out.ts";
import type { Orderer, Outcome } from "./executor.ts";

/** A failed order is told no sooner than this, because some are ordered again at once. */
const FAILURE_PAUSE_MS = 500;

export interface DeskTools<Plan> {
  readonly executors: Executors<Plan>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** What is told of an order while it is carried out. */
  readonly tell: (order: Order, status: "started" | "done" | "failed") => void;
  /** Takes a result in: journalled before anything follows from it. */
  readonly take: (order: Order, outcome: Outcome) => Promise<void>;
}

/**
 * The orders of one process that are being carried out, in the background and beside each other. One that is not
 * awaited any more is given up; what it still says is nobody's business.
 */
export class OrderDesk<Plan> {
  readonly #running = new Map<string, AbortController>();
  readonly #tools: DeskTools<Plan>;
  #isClosed = false;

  constructor(tools: DeskTools<Plan>) {
    this.#tools = tools;
  }

  /** Begins an order that is durable. @param by who ordered it, as of now and as of each try */
  begin(order: Order, by: Orderer<Plan>): void {
    const cancel = new AbortController();
    this.#running.set(order.id, cancel);
    this.#tools.tell(order, "started");
    this.#work(order, by, cancel.signal)
      .catch((error: unknown) => {
        if (!cancel.signal.aborted && !this.#isClosed)
          this.#tools.log(`${nameOf(order)}: its result could not be taken in: ${describe(error)}`);
      })
      .finally(() => this.#running.get(order.id) === cancel && this.#running.delete(order.id));
  }

  /** Gives up every order that is not among those awaited. */
  keepOnly(awaiting: readonly Order[]): void {
    for (const [id, cancel] of this.#running) if (!awaiting.some((order) => order.id === id)) cancel.abort();
  }

  /** Gives up everything; nothing is begun or told any more. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#running.values()) cancel.abort();
  }

  async #work(order: Order, by: Orderer<Plan>, signal: AbortSignal): Promise<void> {
    const { executors, clock, log, tell, take } = this.#tools;
    const outcome = await carryOut(order, by, executors, clock, signal).catch((error: unknown): Outcome => {
      if (!signal.aborted) log(`${nameOf(order)} crashed: ${describe(error)}`);
      return { kind: "failed", code: "internal", message: String(error) };
    });
    if (outcome.kind === "failed") await clock.sleep(FAILURE_PAUSE_MS, signal);
    if (signal.aborted) return;
    tell(order, outcome.kind);
    await take(order, outcome);
  }
}

function nameOf(order: Order): string {
  return `${order.id} (${orderName(order)})`;
}

/** An error with where it came from, for the log. */
export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
