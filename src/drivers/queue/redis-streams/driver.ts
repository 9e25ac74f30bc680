import { DriverError } from "../../../ports/driver-error.ts";
import type { QueueDriver } from "../../../ports/queue.ts";
import { type RedisClient, redisCommand } from "../../redis.ts";
import { redisNames } from "../redis-names.ts";
import { redisPointer } from "../redis-pointer.ts";
import { compareIds, type GroupFacts, idOf, positionsOf, progressFrom } from "./positions.ts";
import { SCRIPTS } from "./scripts.ts";

export interface RedisStreamsConfig {
  readonly client: RedisClient;
  /** Prefix of the keys that are ours: pointers, and where stopped groups stood. Default `sluice-queue`. */
  readonly prefix?: string;
  /** Ends the client, where it belongs to the driver. */
  readonly close?: () => Promise<void>;
}

const NAME = "queue/redis-streams";

function factsOf(reply: readonly string[]): GroupFacts {
  const [delivered = "", firstPending = "", last = "", firstKept = "", lastDeleted = "", ...counts] = reply;
  const [pending, kept, added, read, more] = counts;
  return {
    delivered,
    firstPending,
    last,
    firstKept,
    lastDeleted,
    pending: Number(pending),
    kept: Number(kept),
    added: Number(added),
    read: read === undefined || read === "" ? null : Number(read),
    hasMore: Number(more) > 0,
  };
}

async function fenced(what: string, epoch: number, reply: Promise<unknown>): Promise<void> {
  const answer = String(await reply);
  if (answer === "ok") return;
  const found = `the group was moved by epoch ${answer} already`;
  throw new DriverError("stale-token", "never", `${NAME}: ${what} of epoch ${epoch} is too late: ${found}`);
}

/** Streams of Redis 7 as queues: a queue is a stream, a consumer is a group of it, a position is an entry's id. */
export function redisStreams({ client, prefix = "sluice-queue", close }: RedisStreamsConfig): QueueDriver {
  const [names, command] = [redisNames(prefix), redisCommand(NAME, client)];
  const run = (signal: AbortSignal, script: keyof typeof SCRIPTS, keys: readonly string[], args: readonly string[]) =>
    command(signal, "EVAL", SCRIPTS[script], keys.length, ...keys, ...args);
  const keysOf = (queue: string) => [queue, names.states(queue)];
  return {
    name: NAME,
    can: { positions: true, stop: true, exactCounts: true },
    end: async (queue, signal) => positionsOf(String(await run(signal, "end", [queue], []))),
    reaches: (found, mark) => compareIds(idOf(found), idOf(mark)) >= 0,
    async progress(queue, consumer, signal) {
      const reply = await run(signal, "progress", keysOf(queue), [consumer]);
      return reply === null ? null : progressFrom(factsOf(reply as string[]));
    },
    stop: (queue, consumer, epoch, signal) =>
      fenced(`the stop of ${consumer}`, epoch, run(signal, "stop", keysOf(queue), [consumer, String(epoch)])),
    start: (queue, consumer, { after, epoch }, signal) => {
      const args = [consumer, String(epoch), idOf(after)];
      return fenced(`the start of ${consumer}`, epoch, run(signal, "start", keysOf(queue), args));
    },
    ...redisPointer(NAME, command, names.pointer),
    close: async () => close?.(),
  };
}
