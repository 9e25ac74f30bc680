import type { Clock } from "../../../ports/clock.ts";
import type { ConsumerProgress, QueueDriver, QueuePositions } from "../../../ports/queue.ts";
import { type RedisClient, redisCommand } from "../../redis.ts";
import { checkNote, type NoteAnswer } from "../consumer-note.ts";
import { redisNames } from "../redis-names.ts";
import { redisPointer } from "../redis-pointer.ts";
import { SCRIPTS } from "./scripts.ts";

export interface BullQueueConfig {
  readonly client: RedisClient;
  readonly clock: Clock;
  /** BullMQ's own prefix of its keys. Default `bull`, as BullMQ's. */
  readonly bullPrefix?: string;
  /** Prefix of the keys that are ours: pointers, and who was started and stopped. Default `sluice-queue`. */
  readonly prefix?: string;
  /** Ends the client, where it belongs to the driver. */
  readonly close?: () => Promise<void>;
}

const NAME = "queue/bullmq";

const position = (of: QueuePositions) => BigInt(of["0"] ?? "0");

function answerOf(reply: unknown): NoteAnswer {
  const text = String(reply);
  return text === "noted" || text === "same" ? { kind: text } : { kind: "late", epoch: Number(text) };
}

function progressFrom([added = "0", lowest = "", active, waiting]: readonly string[]): ConsumerProgress {
  const settled = lowest === "" ? added : String(Math.max(0, Number(lowest) - 1));
  return { settled: { "0": settled }, inFlight: Number(active), waiting: Number(waiting) };
}

/**
 * Queues of BullMQ 6. A job is settled for everybody, so a consumer that takes over is given what is not settled.
 * BullMQ pauses a queue for all of its workers at once and does not tell them apart: a stop pauses it, a start resumes
 * it, and after that the pointer alone keeps the other arm's workers from taking.
 */
export function bullQueue(config: BullQueueConfig): QueueDriver {
  const { client, clock, bullPrefix = "bull", prefix = "sluice-queue", close } = config;
  const [names, command] = [redisNames(prefix), redisCommand(NAME, client)];
  const run = (signal: AbortSignal, script: keyof typeof SCRIPTS, keys: readonly string[], args: readonly string[]) =>
    command(signal, "EVAL", SCRIPTS[script], keys.length, ...keys, ...args);
  const keysOf = (queue: string, ...of: readonly string[]) => {
    const keys = of.map((key) => `${bullPrefix}:${queue}:${key}`);
    return [names.states(`${bullPrefix}:${queue}`), ...keys];
  };
  return {
    name: NAME,
    can: { positions: false, stop: false, exactCounts: false },
    async end(queue, signal) {
      const added = await command(signal, "GET", `${bullPrefix}:${queue}:id`);
      return { "0": added === null ? "0" : String(added) };
    },
    reaches: (found, mark) => position(found) >= position(mark),
    async progress(queue, consumer, signal) {
      const keys = keysOf(queue, "meta", "id", "wait", "active", "prioritized", "delayed");
      const reply = await run(signal, "progress", keys, [consumer, String(clock.wallMs())]);
      return reply === null ? null : progressFrom(reply as string[]);
    },
    async stop(queue, consumer, epoch, signal) {
      const reply = await run(signal, "stop", keysOf(queue, "meta", "marker"), [consumer, String(epoch), "stop"]);
      checkNote(NAME, "stop", epoch, answerOf(reply));
    },
    async start(queue, consumer, { epoch }, signal) {
      const keys = keysOf(queue, "meta", "marker", "wait", "active", "stalled", "prioritized");
      const args = [consumer, String(epoch), "start", `${bullPrefix}:${queue}:`];
      checkNote(NAME, "start", epoch, answerOf(await run(signal, "start", keys, args)));
    },
    ...redisPointer(NAME, command, names.pointer),
    close: async () => close?.(),
  };
}
