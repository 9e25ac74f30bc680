import type { Clock } from "../../../ports/clock.ts";
import type { QueueDriver, QueuePositions } from "../../../ports/queue.ts";
import { untilAborted } from "../../abortable.ts";
import { type PostgresClient, postgresQueries } from "../../postgres.ts";
import { checkNote } from "../consumer-note.ts";
import { type AskPostgres, noteConsumer, postgresPointer } from "../postgres-notes.ts";
import { untilWritersEnded } from "../postgres-writers.ts";
import { statementsFor } from "./statements.ts";

export interface PostgresQueueConfig {
  readonly client: PostgresClient;
  readonly clock: Clock;
  /** Tables are `<prefix>_message`, `_consumer` and `_pointer`. Plain lower-case, optionally with a schema. */
  readonly prefix?: string;
  /** Ends the client, where it belongs to the driver. */
  readonly close?: () => Promise<void>;
}

export interface PostgresQueue extends QueueDriver {
  /** Creates the tables where they are missing. Idempotent; run it at deployment, not per process. */
  migrate(): Promise<void>;
}

const NAME = "queue/postgres";
const { queryRows } = postgresQueries(NAME);

const position = (of: QueuePositions) => BigInt(of["0"] ?? "0");

/**
 * A queue in tables of PostgreSQL 13 or newer, one row for each message, as job libraries keep theirs. A message is
 * settled for every consumer, so a consumer that takes over is given what is not settled.
 */
export function postgresQueue({ client, clock, prefix = "sluice_queue", close }: PostgresQueueConfig): PostgresQueue {
  const sql = statementsFor(prefix);
  const ask: AskPostgres = (signal, text, values) => untilAborted(signal, () => queryRows(client, text, values));
  return {
    name: NAME,
    can: { positions: false, stop: true, exactCounts: true },
    async migrate() {
      for (const text of sql.migrate) await queryRows(client, text, []);
    },
    async end(queue, signal) {
      await untilWritersEnded(ask, sql.table, clock, signal);
      const [row] = await ask<{ position: string }>(signal, sql.end, [queue]);
      return { "0": row?.position ?? "0" };
    },
    reaches: (found, mark) => position(found) >= position(mark),
    async progress(queue, consumer, signal) {
      type Row = { settled: string; in_flight: number; waiting: number };
      const [row] = await ask<Row>(signal, sql.progress, [queue, consumer]);
      if (row === undefined) return null;
      return { settled: { "0": row.settled }, inFlight: row.in_flight, waiting: row.waiting };
    },
    async stop(queue, consumer, epoch, signal) {
      const [row] = await ask<{ moved: number; seen: string | null }>(signal, sql.stop, [queue, consumer, epoch]);
      if (row?.moved === 1 || row === undefined || row.seen === null) return; // Null: there is no such consumer.
      checkNote(NAME, "stop", epoch, { kind: "late", epoch: Number(row.seen) });
    },
    async start(queue, consumer, { epoch }, signal) {
      checkNote(NAME, "start", epoch, await noteConsumer(ask, "start", sql.start, [queue, consumer, epoch], signal));
    },
    ...postgresPointer(NAME, ask, sql.pointer),
    close: async () => close?.(),
  };
}
