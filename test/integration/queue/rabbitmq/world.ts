import { setTimeout as sleep } from "node:timers/promises";
import { driver, type QueueNotes, rabbitQueue } from "../../../../src/drivers/queue/rabbitmq/index.ts";
import { httpSend } from "../../../../src/drivers/http-send.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import type { QueueDriver } from "../../../../src/ports/queue.ts";
import type { GivenMessage, QueueWorld } from "../../../../src/testing/queue-suite.ts";
import { freePort } from "../../../free-port.ts";
import { amqp, type AmqpChannel, type AmqpConnection } from "../clients.ts";
import { type SilentServer, startSilent } from "../silent.ts";
import type { RabbitServer } from "./server.ts";

const BATCH = 5_000;
let worlds = 0;

interface Worker {
  readonly connection: AmqpConnection;
  readonly channel: AmqpChannel;
}

/** Queues of a real node, with producers and workers that speak AMQP as any program would. */
export function rabbitWorld(
  server: RabbitServer,
  notesOf: (prefix: string) => QueueNotes,
  queueType = "classic",
): QueueWorld {
  const prefix = `w${++worlds}-${queueType}`;
  const [workers, silent, opened]: [Map<string, Worker>, SilentServer[], QueueDriver[]] = [new Map(), [], []];
  const basic = { authorization: `Basic ${Buffer.from("guest:guest").toString("base64")}` };
  let received = 0;

  /** A consumer's own connection, made again where RabbitMQ has ended it. */
  async function worker(consumer: string): Promise<Worker> {
    const found = workers.get(consumer);
    if (found !== undefined) return found;
    const options = { clientProperties: { connection_name: consumer } };
    const connection = await amqp().connect(server.amqpUrl, options);
    const channel = await connection.createConfirmChannel();
    const gone = () => void workers.delete(consumer);
    for (const one of [connection, channel]) for (const event of ["error", "close"] as const) one.on(event, gone);
    workers.set(consumer, { connection, channel });
    return { connection, channel };
  }

  return {
    async open(at) {
      if (at === "silent") silent.push(await startSilent());
      const port = at === "silent" ? silent.at(-1)?.port : await freePort();
      const notes = encodeURIComponent(`redis://127.0.0.1:${port}`);
      const send = httpSend(
        "queue/rabbitmq",
        { url: `${server.managementUrl}/api`, secretFile: null, clock: systemClock },
        () => basic,
      );
      const counting: typeof send = async (ask, signal) => {
        const answer = await send(ask, signal);
        received += JSON.stringify(answer.body).length;
        return answer;
      };
      const found =
        at === "server"
          ? rabbitQueue({ send: counting, notes: notesOf(prefix), clock: systemClock })
          : await driver.open({ url: `http://127.0.0.1:${port}/?pointer=${notes}`, secretFile: null }, systemClock);
      opened.push(found);
      return found;
    },
    async queue(name) {
      return `${prefix}.${name}`;
    },
    async produce(queue, bodies) {
      const { channel } = await worker("producer");
      await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": queueType } });
      for (let from = 0; from < bodies.length; from += BATCH) {
        for (const body of bodies.slice(from, from + BATCH))
          channel.sendToQueue(queue, Buffer.from(body), { persistent: true });
        await channel.waitForConfirms();
      }
    },
    async take(queue, consumer, max) {
      const { channel } = await worker(consumer);
      const given: GivenMessage[] = [];
      await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": queueType } });
      while (given.length < max) {
        const message = await channel.get(queue);
        if (message === false) break;
        const settle = async () => {
          channel.ack(message);
          await channel.checkQueue(queue); // An acknowledgement is not answered; what follows it on its channel is.
          await sleep(5);
        };
        given.push({ body: message.content.toString(), settle });
      }
      return given;
    },
    receivedBytes: () => received,
    async close() {
      for (const { connection } of workers.values()) await connection.close().catch(() => {});
      for (const one of opened) await one.close();
      for (const one of silent) await one.close();
    },
  };
}
