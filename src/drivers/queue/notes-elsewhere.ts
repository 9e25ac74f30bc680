import { DriverError } from "../../ports/driver-error.ts";
import type { QueueDriver } from "../../ports/queue.ts";
import type { PostgresClient } from "../postgres.ts";
import { openRedis, type RedisClient, redisCommand } from "../redis.ts";
import { readSecretFile } from "../secret-file.ts";
import type { NoteAnswer } from "./consumer-note.ts";
import { postgresAddress } from "./postgres-address.ts";
import {
  askWithNotes,
  noteConsumer,
  noteTables,
  postgresPointer,
  startStatement,
  stopStatement,
} from "./postgres-notes.ts";
import { redisNames } from "./redis-names.ts";
import { NOTE } from "./redis-note.ts";
import { redisPointer } from "./redis-pointer.ts";

/**
 * What a queue without compare-and-set of its own keeps with one writer elsewhere: the pointer, and which epoch started
 * or stopped each consumer.
 */
export interface QueueNotes extends Pick<QueueDriver, "readPointer" | "movePointer"> {
  note(what: "start" | "stop", of: NotedConsumer, epoch: number, signal: AbortSignal): Promise<NoteAnswer>;
  /** Consumers of a queue that are noted, and whether each was started or stopped last. */
  consumers(queue: string, signal: AbortSignal): Promise<ReadonlyMap<string, "start" | "stop">>;
  /** Microseconds by the one clock that all who share the notes share. */
  nowUs(signal: AbortSignal): Promise<bigint>;
  close(): Promise<void>;
}

interface NotedConsumer {
  readonly queue: string;
  readonly consumer: string;
}

/** Notes in hashes of Redis. */
export function redisNotes(
  driver: string,
  client: RedisClient,
  prefix: string,
  close: () => Promise<void> = async () => {},
): QueueNotes {
  const [names, command] = [redisNames(prefix), redisCommand(driver, client)];
  return {
    ...redisPointer(driver, command, names.pointer),
    async note(what, { queue, consumer }, epoch, signal) {
      const script = `${NOTE}\nreturn 'noted'`;
      const reply = String(
        await command(signal, "EVAL", script, 1, names.states(queue), consumer, String(epoch), what),
      );
      return reply === "noted" || reply === "same" ? { kind: reply } : { kind: "late", epoch: Number(reply) };
    },
    async consumers(queue, signal) {
      const flat = (await command(signal, "HGETALL", names.states(queue))) as
        | readonly string[]
        | Record<string, string>;
      const pairs = Array.isArray(flat)
        ? flat.flatMap((name: string, at) => (at % 2 === 0 ? [[name, String(flat[at + 1])] as const] : []))
        : Object.entries(flat as Record<string, string>);
      const kindOf = (text: string) => (JSON.parse(text) as { kind: "start" | "stop" }).kind;
      return new Map(pairs.map(([name, text]) => [name, kindOf(text)]));
    },
    async nowUs(signal) {
      const [seconds = "0", micros = "0"] = (await command(signal, "TIME")) as readonly string[];
      return BigInt(seconds) * 1_000_000n + BigInt(micros);
    },
    close,
  };
}

/** Notes in two tables of PostgreSQL, made when they are missing. */
export function postgresNotes(
  driver: string,
  client: PostgresClient,
  prefix: string,
  close: () => Promise<void> = async () => {},
): QueueNotes {
  const { consumer: table, pointer } = noteTables(prefix);
  const ask = askWithNotes(driver, client, prefix);
  const texts = { start: startStatement(table), stop: stopStatement(table) };
  return {
    ...postgresPointer(driver, ask, pointer),
    note: (what, { queue, consumer }, epoch, signal) =>
      noteConsumer(ask, what, texts[what], [queue, consumer, epoch], signal),
    async consumers(queue, signal) {
      const text = `select consumer, is_running from ${table} where queue = $1`;
      const rows = await ask<{ consumer: string; is_running: boolean }>(signal, text, [queue]);
      return new Map(rows.map((row) => [row.consumer, row.is_running ? "start" : "stop"] as const));
    },
    async nowUs(signal) {
      const text = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint::text as us";
      return BigInt((await ask<{ us: string }>(signal, text, []))[0]?.us ?? "0");
    },
    close,
  };
}

/** Where the notes are, as an address says: `…?pointer=redis://host`, and `pointerSecretFile` where one is needed. */
export interface NotesPlace {
  readonly url: string;
  readonly secretFile: string | null;
}

/**
 * Splits the address of a queue from that of its notes, which stands in it.
 * @throws DriverError `rejected` where no notes are named: without one writer nobody could say who consumes
 */
export function splitNotes(driver: string, url: string): { readonly url: URL; readonly notes: NotesPlace } {
  const wanted = "name where the pointer is kept: ?pointer=redis://… or ?pointer=postgres://…";
  if (!URL.canParse(url)) throw new DriverError("rejected", "never", `${driver}: url is no address; ${wanted}`);
  const address = new URL(url);
  const [pointer, secretFile] = ["pointer", "pointerSecretFile"].map((key) => address.searchParams.get(key));
  if (pointer == null) throw new DriverError("rejected", "never", `${driver}: the url says no pointer; ${wanted}`);
  for (const key of ["pointer", "pointerSecretFile"]) address.searchParams.delete(key);
  return { url: address, notes: { url: pointer, secretFile: secretFile ?? null } };
}

/** Opens the notes at a place. Connects when they are first asked. */
export async function openNotes(driver: string, { url, secretFile }: NotesPlace): Promise<QueueNotes> {
  const [secret, prefix] = [await readSecretFile(driver, secretFile), "sluice-queue"];
  if (/^rediss?:/.test(url)) {
    const { client, close } = await openRedis(driver, url, secret);
    return redisNotes(driver, client, prefix, close);
  }
  const { default: pg } = await import("pg");
  const connectionString = postgresAddress(driver, url, secret);
  const pool = new pg.Pool({ connectionString, max: 2, connectionTimeoutMillis: 5_000 }).on("error", () => {});
  return postgresNotes(driver, pool, "sluice_queue", () => pool.end());
}
