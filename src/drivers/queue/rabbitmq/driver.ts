import type { Clock } from "../../../ports/clock.ts";
import type { QueueDriver, QueuePositions } from "../../../ports/queue.ts";
import type { HttpSend } from "../../http-send.ts";
import { checkNote } from "../consumer-note.ts";
import type { QueueNotes } from "../notes-elsewhere.ts";
import { connectionsOf, NAME, type QueueTotals, totalsOf } from "./answers.ts";

export interface RabbitQueueConfig {
  /** Requests to the management API, below its `/api`. */
  readonly send: HttpSend;
  readonly notes: QueueNotes;
  readonly clock: Clock;
  /** Default `/`. */
  readonly vhost?: string;
  /** How old the numbers of a quorum queue can be: its tick (5 s unless configured) and some. */
  readonly tickMs?: number;
}

const CONNECTIONS_PAGE = 500;
/** Twice the statistics' interval, and some. */
const LISTED_WITHIN_MS = 12_000;
const LOOK_EVERY_MS = 200;
const TICK_MS = 6_000;

const instant = (of: QueuePositions) => BigInt(of["0"] ?? "0");

/** A name as a regular expression that nothing else matches. */
const exactly = (name: string) => `^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`;

type Management = Required<Pick<RabbitQueueConfig, "send" | "clock" | "vhost" | "tickMs">>;

/** What is asked of the management API. */
function managementOf({ send, clock, vhost, tickMs }: Management) {
  async function read(queue: string, signal: AbortSignal): Promise<QueueTotals | null> {
    const asked = { disable_stats: "true", enable_queue_totals: "true", page: "1", page_size: "2", use_regex: "true" };
    const query = new URLSearchParams({ ...asked, name: exactly(queue) });
    const path = `/queues/${encodeURIComponent(vhost)}?${query}`;
    return totalsOf(queue, (await send({ method: "GET", path }, signal)).body);
  }

  /** What was in the queue at some instant of this call. */
  async function totals(queue: string, signal: AbortSignal): Promise<QueueTotals | null> {
    const found = await read(queue, signal);
    if (found === null || found.isCurrent) return found;
    await clock.sleep(tickMs, signal);
    signal.throwIfAborted();
    return read(queue, signal);
  }

  /** Ends the connections of these consumers that RabbitMQ lists. */
  async function endConnections(consumers: readonly string[], signal: AbortSignal): Promise<void> {
    const open: string[] = [];
    for (let page = 1, pages = 1; page <= pages; page++) {
      const path = `/connections?page=${page}&page_size=${CONNECTIONS_PAGE}`;
      const found = connectionsOf((await send({ method: "GET", path }, signal)).body, consumers);
      pages = found.pages;
      open.push(...found.names);
    }
    for (const name of open)
      await send({ method: "DELETE", path: `/connections/${encodeURIComponent(name)}`, also: [404] }, signal);
  }

  /** What stopped consumers never settled is requeued. A connection is listed as late as the statistics are. */
  async function release(queue: string, stopped: readonly string[], signal: AbortSignal): Promise<void> {
    const deadline = clock.monoMs() + LISTED_WITHIN_MS;
    while (((await read(queue, signal))?.unacknowledged ?? 0) > 0) {
      await endConnections(stopped, signal);
      if (clock.monoMs() >= deadline) return;
      await clock.sleep(LOOK_EVERY_MS, signal);
      signal.throwIfAborted();
    }
  }

  return { totals, endConnections, release };
}

/**
 * Queues of RabbitMQ, through its management API. A message has no number, so the only position is an instant at which
 * the queue was seen empty, and a drain is done when it is. Pointer and epochs are kept elsewhere by one writer.
 */
export function rabbitQueue(config: RabbitQueueConfig): QueueDriver {
  const { send, notes, clock, vhost = "/", tickMs = TICK_MS } = config;
  const noted = (queue: string) => `rabbitmq:${vhost}:${queue}`;

  const { totals, endConnections, release } = managementOf({ send, clock, vhost, tickMs });

  return {
    name: NAME,
    can: { positions: false, stop: false, exactCounts: true },
    end: async (_queue, signal) => ({ "0": String(await notes.nowUs(signal)) }),
    reaches: (found, mark) => instant(found) >= instant(mark),
    async progress(queue, consumer, signal) {
      const before = await notes.nowUs(signal);
      const found = await totals(queue, signal);
      if (found === null) {
        const isNoted = (await notes.consumers(noted(queue), signal)).has(consumer);
        return isNoted ? { settled: { "0": String(before) }, inFlight: 0, waiting: 0 } : null;
      }
      const { ready, unacknowledged } = found;
      const settled = ready + unacknowledged === 0 ? String(before) : "0";
      return { settled: { "0": settled }, inFlight: unacknowledged, waiting: ready };
    },
    async stop(queue, consumer, epoch, signal) {
      checkNote(NAME, "stop", epoch, await notes.note("stop", { queue: noted(queue), consumer }, epoch, signal));
    },
    async start(queue, consumer, { epoch }, signal) {
      const answer = await notes.note("start", { queue: noted(queue), consumer }, epoch, signal);
      checkNote(NAME, "start", epoch, answer);
      const others = [...(await notes.consumers(noted(queue), signal))].filter(([, kind]) => kind === "stop");
      const names = others.map(([name]) => name);
      // Asked again, what is in flight may be its own: those that were stopped are ended all the same.
      if (answer.kind === "same") await endConnections(names, signal);
      else await release(queue, names, signal);
    },
    readPointer: notes.readPointer,
    movePointer: notes.movePointer,
    close: () => notes.close(),
  };
}
