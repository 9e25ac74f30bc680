import type { Redis } from "ioredis";
import { bullQueue, driver } from "../../../../src/drivers/queue/bullmq/index.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import type { QueueDriver } from "../../../../src/ports/queue.ts";
import type { GivenMessage, QueueWorld } from "../../../../src/testing/queue-suite.ts";
import { freePort } from "../../../free-port.ts";
import { type BullJob, bullMq, type BullQueueClient, type BullWorker } from "../clients.ts";
import { type SilentServer, startSilent } from "../silent.ts";

const BATCH = 5_000;
let worlds = 0;

/** Queues of BullMQ on a real server; producers and workers are BullMQ's own. */
export function bullWorld(client: Redis, port: number): QueueWorld {
  const prefix = `w${++worlds}`;
  const connection = { host: "127.0.0.1", port };
  const queues = new Map<string, BullQueueClient>();
  const workers = new Map<string, BullWorker>();
  const opened: QueueDriver[] = [];
  const silent: SilentServer[] = [];
  let received = 0;
  let tokens = 0;
  const counting = {
    async call(command: string, ...args: (string | number)[]): Promise<unknown> {
      const reply = await client.call(command, ...args);
      received += JSON.stringify(reply).length;
      return reply;
    },
  };
  const queueOf = (name: string): BullQueueClient => {
    const found = queues.get(name);
    if (found !== undefined) return found;
    const made = new (bullMq().Queue)(name, { connection });
    made.on("error", () => {}); // The call that meets it says so.
    queues.set(name, made);
    return made;
  };
  const workerOf = (queue: string, consumer: string): BullWorker => {
    const key = `${queue} ${consumer}`;
    const found = workers.get(key);
    if (found !== undefined) return found;
    const options = { connection, autorun: false, skipStalledCheck: true, lockDuration: 120_000 };
    const made = new (bullMq().Worker)(queue, null, options);
    made.on("error", () => {});
    workers.set(key, made);
    return made;
  };
  return {
    async open(at) {
      if (at === "silent") silent.push(await startSilent());
      const to = at === "silent" ? silent.at(-1)?.port : await freePort();
      const found =
        at === "server"
          ? bullQueue({ client: counting, clock: systemClock, prefix: `${prefix}-sluice` })
          : await driver.open({ url: `redis://127.0.0.1:${to}`, secretFile: null }, systemClock);
      opened.push(found);
      return found;
    },
    queue: async (name) => `${prefix}-${name}`,
    async produce(queue, bodies) {
      for (let from = 0; from < bodies.length; from += BATCH)
        await queueOf(queue).addBulk(bodies.slice(from, from + BATCH).map((body) => ({ name: "job", data: { body } })));
    },
    async take(queue, consumer, max) {
      const given: GivenMessage[] = [];
      while (given.length < max) {
        const token = `${prefix}-${++tokens}`;
        const job: BullJob | undefined = await workerOf(queue, consumer).getNextJob(token, { block: false });
        if (job === undefined) break;
        given.push({ body: job.data.body, settle: async () => void (await job.moveToCompleted("done", token, false)) });
      }
      return given;
    },
    receivedBytes: () => received,
    async close() {
      for (const one of [...workers.values(), ...queues.values()]) await one.close();
      for (const one of opened) await one.close();
      for (const one of silent) await one.close();
    },
  };
}
