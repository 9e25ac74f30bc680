import type { Clock } from "../../../ports/clock.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { QueueDriver, QueuePositions } from "../../../ports/queue.ts";
import { untilAborted } from "../../abortable.ts";
import { type PostgresClient, postgresQueries } from "../../postgres.ts";
import { decodePointer, encodePointer } from "../pointer-text.ts";
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
/** How often it is looked whether the writers of before have ended. */
const LOOK_EVERY_MS = 20;
const { queryRows } = postgresQueries(NAME);

type Ask = <Row>(signal: AbortSignal, text: string, values: unknown[]) => Promise<readonly Row[]>;

const position = (of: QueuePositions) => BigInt(of["0"] ?? "0");

/** Start and stop answer alike: whether they took hold, and the epoch that was there before. */
function checkFence(what: string, epoch: number, answer: { moved: number; seen: string | null } | undefined): void {
  const seen = answer?.seen ?? null;
  if (answer === undefined || answer.moved === 1 || seen === null) return;
  const isSameStart = what === "start" && Number(seen) === epoch;
  if (isSameStart) return;
  const found = `the consumer was moved by epoch ${seen} already`;
  throw new DriverError("stale-token", "never", `${NAME}: a ${what} of epoch ${epoch} is too late: ${found}`);
}

/**
 * A queue in tables of PostgreSQL 13 or newer, one row for each message, as job libraries keep theirs. A message is
 * settled for every consumer, so a consumer that takes over is given what is not settled.
 */
export function postgresQueue({ client, clock, prefix = "sluice_queue", close }: PostgresQueueConfig): PostgresQueue {
  const sql = statementsFor(prefix);
  const ask: Ask = (signal, text, values) => untilAborted(signal, () => queryRows(client, text, values));
  const fenced = async (what: "start" | "stop", of: readonly [string, string], epoch: number, signal: AbortSignal) => {
    const [answer] = await ask<{ moved: number; seen: string | null }>(signal, sql[what], [...of, epoch]);
    checkFence(what, epoch, answer);
  };
  const readPointer = async (pointer: string, signal: AbortSignal) => {
    const [row] = await ask<{ record: string }>(signal, sql.readPointer, [pointer]);
    return row === undefined ? null : decodePointer(NAME, row.record);
  };
  return {
    name: NAME,
    can: { positions: false, stop: true, exactCounts: true },
    async migrate() {
      for (const text of sql.migrate) await queryRows(client, text, []);
    },
    async end(queue, signal) {
      const [before] = await ask<{ writers: string[] }>(signal, sql.writers, []);
      for (let remaining = before?.writers.length ?? 0; remaining > 0; ) {
        const [row] = await ask<{ remaining: number }>(signal, sql.remaining, [before?.writers]);
        remaining = row?.remaining ?? 0;
        if (remaining > 0) await clock.sleep(LOOK_EVERY_MS, signal);
      }
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
    stop: (queue, consumer, epoch, signal) => fenced("stop", [queue, consumer], epoch, signal),
    start: (queue, consumer, { epoch }, signal) => fenced("start", [queue, consumer], epoch, signal),
    readPointer,
    async movePointer(pointer, next, signal) {
      const values = [pointer, next.epoch, next.step, encodePointer(next)];
      const moved = await ask(signal, sql.movePointer, values);
      return moved.length === 1 ? { kind: "moved" } : { kind: "refused", found: await readPointer(pointer, signal) };
    },
    close: async () => close?.(),
  };
}
