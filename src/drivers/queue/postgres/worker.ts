import { type PostgresClient, postgresQueries } from "../../postgres.ts";
import { statementsFor } from "./statements.ts";

const { queryInside } = postgresQueries("queue/postgres");

/** A message that a worker was given; it goes back into the statement that settles it. */
export interface TakenMessage {
  readonly queue: string;
  readonly consumer: string;
  readonly position: string;
  readonly epoch: string;
  readonly body: string;
}

/** How producers and workers use the tables. Each call is one statement of the caller's client or transaction. */
export interface QueueTables {
  /** Written in this order. In the transaction of a business change, both happen or neither does. */
  produce(queue: string, bodies: readonly string[]): Promise<void>;
  /** In order; none when the consumer is stopped. Commit before working on them, so that a stop need not wait. */
  take(queue: string, consumer: string, max: number): Promise<readonly TakenMessage[]>;
  /**
   * In the transaction of the effect, both happen or neither does.
   * @returns false when the message was given to somebody else meanwhile: roll the effect back
   */
  settle(message: TakenMessage): Promise<boolean>;
}

/** @param prefix as the driver's */
export function queueTables(client: PostgresClient, prefix = "sluice_queue"): QueueTables {
  const sql = statementsFor(prefix);
  return {
    async produce(queue, bodies) {
      await queryInside(client, sql.produce, [queue, bodies]);
    },
    async take(queue, consumer, max) {
      type Row = Pick<TakenMessage, "position" | "epoch" | "body">;
      const rows = await queryInside<Row>(client, sql.take, [queue, consumer, max]);
      const inOrder = [...rows].sort((a, b) => (BigInt(a.position) < BigInt(b.position) ? -1 : 1));
      return inOrder.map((row) => ({ ...row, queue, consumer }));
    },
    async settle({ queue, consumer, epoch, position }) {
      return (await queryInside(client, sql.settle, [queue, consumer, epoch, position])).length === 1;
    },
  };
}
