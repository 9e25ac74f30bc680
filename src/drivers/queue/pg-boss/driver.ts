import type { Clock } from "../../../ports/clock.ts";
import type { QueueDriver } from "../../../ports/queue.ts";
import type { PostgresClient } from "../../postgres.ts";
import { checkNote } from "../consumer-note.ts";
import { askWithNotes, noteConsumer, postgresPointer } from "../postgres-notes.ts";
import { untilWritersEnded } from "../postgres-writers.ts";
import { behindAll, placeBefore, reaches } from "./positions.ts";
import { statementsFor } from "./statements.ts";

export interface BossQueueConfig {
  readonly client: PostgresClient;
  readonly clock: Clock;
  /** Schema of pg-boss. Default `pgboss`, as pg-boss's. */
  readonly schema?: string;
  /** Tables of ours are `<prefix>_consumer` and `_pointer`; made when they are missing. Default `sluice_queue`. */
  readonly prefix?: string;
  /** Ends the client, where it belongs to the driver. */
  readonly close?: () => Promise<void>;
}

const NAME = "queue/pg-boss";

interface ProgressRow {
  readonly place: string | null;
  readonly in_flight: number;
  readonly waiting: number;
  readonly now_us: string;
}

/**
 * Queues of pg-boss. A job is settled for everybody, so a consumer that takes over is given what is not settled.
 * pg-boss does not stop workers from outside: they stop when they read the pointer.
 */
export function bossQueue(config: BossQueueConfig): QueueDriver {
  const { client, clock, schema = "pgboss", prefix = "sluice_queue", close } = config;
  const sql = statementsFor(schema, prefix);
  const ask = askWithNotes(NAME, client, prefix);
  return {
    name: NAME,
    can: { positions: false, stop: false, exactCounts: true },
    async end(queue, signal) {
      await untilWritersEnded(ask, sql.relations, clock, signal);
      const [row] = await ask<{ place: string }>(signal, sql.end, [queue]);
      return row === undefined ? {} : { "0": row.place };
    },
    reaches,
    async progress(queue, consumer, signal) {
      const [row] = await ask<ProgressRow>(signal, sql.progress, [queue, consumer]);
      if (row === undefined) return null;
      // With nothing open everything that was made by now is settled, whatever maintenance has deleted meanwhile.
      const settled = row.place === null ? behindAll(row.now_us) : placeBefore(row.place);
      return { settled: { "0": settled }, inFlight: row.in_flight, waiting: row.waiting };
    },
    async stop(queue, consumer, epoch, signal) {
      checkNote(NAME, "stop", epoch, await noteConsumer(ask, "stop", sql.stop, [queue, consumer, epoch], signal));
    },
    async start(queue, consumer, { epoch }, signal) {
      checkNote(NAME, "start", epoch, await noteConsumer(ask, "start", sql.start, [queue, consumer, epoch], signal));
    },
    ...postgresPointer(NAME, ask, sql.pointer),
    close: async () => close?.(),
  };
}
