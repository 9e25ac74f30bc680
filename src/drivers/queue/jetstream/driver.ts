import type { Json } from "../../../core/canonical-json.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { QueueDriver, QueuePositions } from "../../../ports/queue.ts";
import {
  type Answer,
  type AskApi,
  asksApi,
  CONSUMER_NOT_FOUND,
  errorCode,
  isFields,
  NAME,
  type NatsClient,
  numberIn,
} from "./client.ts";
import { pointersIn } from "./pointer.ts";

export interface NatsQueueConfig {
  readonly client: NatsClient;
  /** Bucket of the key-value store that keeps pointers; made when it is missing. Default `sluice-queue`. */
  readonly bucket?: string;
  /** Ends the client, where it belongs to the driver. */
  readonly close?: () => Promise<void>;
}

const ACK_WAIT_NS = 30_000_000_000;
/** How our epoch is noted in a durable's description: JetStream 2.9 keeps nothing else of ours. */
const NOTE = /^sluice epoch=(\d+) (start|stop)$/;

interface Durable {
  readonly info: Answer;
  readonly config: Answer;
  /** Null: whoever made it did not number it. */
  readonly note: { readonly epoch: number; readonly kind: "start" | "stop" } | null;
}

const sequenceOf = (positions: QueuePositions) => Number(positions["0"] ?? "0");
const positionsOf = (sequence: number): QueuePositions => ({ "0": String(sequence) });

async function durableOf(api: AskApi, stream: string, name: string, signal: AbortSignal): Promise<Durable | null> {
  const info = await api(signal, `CONSUMER.INFO.${stream}.${name}`, {}, [CONSUMER_NOT_FOUND]);
  if (errorCode(info) !== null) return null;
  const config = isFields(info["config"]) ? info["config"] : {};
  const [, epoch, kind] = NOTE.exec(String(config["description"] ?? "")) ?? [];
  return {
    info,
    config,
    note: epoch === undefined ? null : { epoch: Number(epoch), kind: kind === "stop" ? "stop" : "start" },
  };
}

/** Refuses what is too late. @returns true when the same was done before */
function isDone(durable: Durable | null, kind: "start" | "stop", epoch: number): boolean {
  const note = durable?.note ?? null;
  if (note === null || note.epoch < epoch) return false;
  if (note.epoch === epoch && note.kind === kind) return true;
  if (note.epoch === epoch && kind === "start") return false;
  const found = `the consumer was moved by epoch ${note.epoch} already`;
  throw new DriverError("stale-token", "never", `${NAME}: a ${kind} of epoch ${epoch} is too late: ${found}`);
}

function create(api: AskApi, stream: string, name: string, config: { [field: string]: Json }, signal: AbortSignal) {
  const body = { stream_name: stream, config: { ...config, durable_name: name } };
  return api(signal, `CONSUMER.DURABLE.CREATE.${stream}.${name}`, body);
}

/**
 * What a durable has done. @param last the stream's last sequence, read before: with nothing pending, it is delivered
 */
function progressFrom({ info, config }: Durable, last: number) {
  const [inFlight, waiting] = [numberIn(info, "num_ack_pending"), numberIn(info, "num_pending")];
  const delivered = numberIn(info["delivered"], "stream_seq");
  const floor = Math.max(numberIn(info["ack_floor"], "stream_seq"), numberIn(config, "opt_start_seq") - 1);
  const settled = inFlight > 0 ? floor : waiting > 0 ? delivered : Math.max(delivered, last);
  return { settled: positionsOf(settled), inFlight, waiting };
}

/**
 * Streams of NATS JetStream 2.9 or newer as queues: a queue is a stream, a consumer is a durable with explicit
 * acknowledgement, a position is a stream sequence.
 */
export function natsQueue({ client, bucket = "sluice-queue", close }: NatsQueueConfig): QueueDriver {
  const api = asksApi(client);
  const pointers = pointersIn(client, api, bucket);
  const lastOf = async (stream: string, signal: AbortSignal) =>
    numberIn((await api(signal, `STREAM.INFO.${stream}`, {}))["state"], "last_seq");
  return {
    name: NAME,
    can: { positions: true, stop: false, exactCounts: true },
    end: async (queue, signal) => positionsOf(await lastOf(queue, signal)),
    reaches: (found, mark) => sequenceOf(found) >= sequenceOf(mark),
    async progress(queue, consumer, signal) {
      const last = await lastOf(queue, signal);
      const durable = await durableOf(api, queue, consumer, signal);
      return durable === null ? null : progressFrom(durable, last);
    },
    async stop(queue, consumer, epoch, signal) {
      const durable = await durableOf(api, queue, consumer, signal);
      if (isDone(durable, "stop", epoch) || durable === null) return;
      const config = { ...durable.config, description: `sluice epoch=${epoch} stop` };
      await create(api, queue, consumer, config, signal); // Of one that is there, this changes the description.
    },
    async start(queue, consumer, { after, epoch }, signal) {
      const durable = await durableOf(api, queue, consumer, signal);
      if (isDone(durable, "start", epoch)) return;
      if (durable !== null) await api(signal, `CONSUMER.DELETE.${queue}.${consumer}`, {}, [CONSUMER_NOT_FOUND]);
      const kept = durable?.config ?? { ack_policy: "explicit", ack_wait: ACK_WAIT_NS };
      const { opt_start_time: _, ...config } = kept;
      const from = { deliver_policy: "by_start_sequence", opt_start_seq: sequenceOf(after) + 1 };
      await create(api, queue, consumer, { ...config, ...from, description: `sluice epoch=${epoch} start` }, signal);
    },
    readPointer: pointers.read,
    movePointer: pointers.move,
    close: async () => close?.(),
  };
}
