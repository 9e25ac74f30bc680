import { z } from "zod";
import { DriverError } from "../../../ports/driver-error.ts";

export const NAME = "queue/rabbitmq";

/** @source RabbitMQ 3.10 management HTTP API, GET /api/queues with disable_stats and enable_queue_totals */
const totals = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      type: z.string().optional(),
      messages_ready: z.number().int().nonnegative().optional(),
      messages_unacknowledged: z.number().int().nonnegative().optional(),
    }),
  ),
});

/** @source RabbitMQ 3.10 management HTTP API, GET /api/connections */
const connections = z.object({
  page_count: z.number().int(),
  items: z.array(z.object({ name: z.string().optional(), user_provided_name: z.string().optional() })),
});

function understood<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const found = `${NAME}: ${what} was answered in a form that is not the management API's`;
  throw new DriverError("rejected", "never", `${found}: ${z.prettifyError(read.error)}; is the address right?`);
}

/** What a queue holds now. */
export interface QueueTotals {
  readonly ready: number;
  readonly unacknowledged: number;
  /** Numbers of another type of queue than classic are as old as its last tick. */
  readonly isCurrent: boolean;
}

/** Null: there is no such queue, or its node is away and says no numbers. */
export function totalsOf(name: string, body: unknown): QueueTotals | null {
  const found = understood(totals, body, "a queue's totals").items.find((one) => one.name === name);
  if (found?.messages_ready === undefined || found.messages_unacknowledged === undefined) return null;
  const { messages_ready: ready, messages_unacknowledged: unacknowledged, type } = found;
  return { ready, unacknowledged, isCurrent: type === "classic" };
}

/** Names of the connections of a page whose client called itself one of these consumers, or `<consumer>/…`. */
export function connectionsOf(body: unknown, consumers: readonly string[]) {
  const { items, page_count: pages } = understood(connections, body, "the connections");
  const isOf = (given: string) => consumers.some((one) => given === one || given.startsWith(`${one}/`));
  const names = items.flatMap(({ name, user_provided_name: given }) =>
    name !== undefined && given !== undefined && isOf(given) ? [name] : [],
  );
  return { names, pages };
}
