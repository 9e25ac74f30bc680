import { headers, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { setTimeout as sleep } from "node:timers/promises";
import { driver, type NatsClient, natsQueue } from "../../../../src/drivers/queue/jetstream/index.ts";
import type { GivenMessage, QueueWorld } from "../../../../src/testing/queue-suite.ts";
import { freePort } from "../../../free-port.ts";
import { type SilentServer, startSilent } from "../silent.ts";

let worlds = 0;

async function asks(
  connection: NatsConnection,
  what: string,
  body: unknown,
): Promise<{ state?: { last_seq: number } }> {
  return (await connection.request(`$JS.API.${what}`, JSON.stringify(body), { timeout: 10_000 })).json();
}

async function takeOne(connection: NatsConnection, queue: string, consumer: string): Promise<Msg | null> {
  const pull = JSON.stringify({ batch: 1, no_wait: true });
  const subject = `$JS.API.CONSUMER.MSG.NEXT.${queue}.${consumer}`;
  const message = await connection.request(subject, pull, { timeout: 5_000, noMux: true });
  return message.headers?.code === 404 ? null : message; // 404: no messages.
}

/** Streams of a real server, with producers and workers that speak JetStream as any client does. */
export function natsWorld(connection: NatsConnection): QueueWorld {
  const prefix = `w${++worlds}`;
  const silent: SilentServer[] = [];
  let received = 0;
  const counts = async (answer: Promise<Msg>): Promise<Msg> => {
    received += (await answer).data.length;
    return answer;
  };
  const counting: NatsClient = {
    request: (subject, payload, options) => counts(connection.request(subject, payload, options)),
    requestAt(subject, payload, lastSequence) {
      const at = headers();
      at.set("Nats-Expected-Last-Subject-Sequence", String(lastSequence));
      return counts(connection.request(subject, payload, { timeout: 5_000, headers: at }));
    },
  };
  return {
    async open(at) {
      if (at === "silent") silent.push(await startSilent());
      if (at === "server") return natsQueue({ client: counting });
      const to = at === "silent" ? silent.at(-1)?.port : await freePort();
      return driver.open({ url: `nats://127.0.0.1:${to}`, secretFile: null });
    },
    async queue(name) {
      const stream = `${prefix}-${name}`;
      await asks(connection, `STREAM.CREATE.${stream}`, { name: stream, subjects: [stream], storage: "memory" });
      return stream;
    },
    async produce(queue, bodies) {
      const last = async () => (await asks(connection, `STREAM.INFO.${queue}`, {})).state?.last_seq ?? 0;
      const wanted = (await last()) + bodies.length;
      for (const body of bodies) connection.publish(queue, body);
      await connection.flush();
      while ((await last()) < wanted) await sleep(5);
    },
    async take(queue, consumer, max) {
      const given: GivenMessage[] = [];
      while (given.length < max) {
        const message = await takeOne(connection, queue, consumer);
        if (message === null) break;
        const settle = async () => void (await connection.request(message.reply ?? "", "+ACK", { timeout: 5_000 }));
        given.push({ body: message.string(), settle });
      }
      return given;
    },
    receivedBytes: () => received,
    async close() {
      for (const one of silent) await one.close();
    },
  };
}
