import type { Redis } from "ioredis";
import { driver, redisStreams } from "../../../../src/drivers/queue/redis-streams/index.ts";
import type { QueueDriver } from "../../../../src/ports/queue.ts";
import type { GivenMessage, QueueWorld } from "../../../../src/testing/queue-suite.ts";
import { freePort } from "../../../free-port.ts";
import { type SilentServer, startSilent } from "../silent.ts";

const BATCH = 10_000;
let worlds = 0;

/** Streams of a real server, with producers and workers that call Redis as any program would. */
export function redisWorld(client: Redis): QueueWorld {
  const prefix = `w${++worlds}`;
  let received = 0;
  const opened: QueueDriver[] = [];
  const silent: SilentServer[] = [];
  const counting = {
    async call(command: string, ...args: (string | number)[]): Promise<unknown> {
      const reply = await client.call(command, ...args);
      received += JSON.stringify(reply).length;
      return reply;
    },
  };
  const openAt = async (port: number) => driver.open({ url: `redis://127.0.0.1:${port}`, secretFile: null });
  return {
    async open(at) {
      if (at === "silent") silent.push(await startSilent());
      const found =
        at === "server"
          ? redisStreams({ client: counting, prefix: `${prefix}-sluice` })
          : await openAt(at === "silent" ? (silent.at(-1) as SilentServer).port : await freePort());
      opened.push(found);
      return found;
    },
    queue: async (name) => `${prefix}:${name}`,
    async produce(queue, bodies) {
      for (let from = 0; from < bodies.length; from += BATCH) {
        const pipeline = client.pipeline();
        for (const body of bodies.slice(from, from + BATCH)) pipeline.xadd(queue, "*", "body", body);
        await pipeline.exec();
      }
    },
    async take(queue, consumer, max) {
      const args = ["GROUP", consumer, "worker", "COUNT", max, "STREAMS", queue, ">"] as const;
      const reply = (await client.call("XREADGROUP", ...args)) as [string, [string, string[]][]] | null;
      return (reply?.[1] ?? []).map(
        ([id, fields]): GivenMessage => ({
          body: fields[1] ?? "",
          settle: async () => void (await client.xack(queue, consumer, id)),
        }),
      );
    },
    receivedBytes: () => received,
    async close() {
      for (const one of opened) await one.close();
      for (const one of silent) await one.close();
    },
  };
}
