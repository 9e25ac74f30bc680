import type pg from "pg";
import { driver, postgresQueue, queueTables } from "../../../../src/drivers/queue/postgres/index.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import type { QueueWorld } from "../../../../src/testing/queue-suite.ts";
import { freePort } from "../../../free-port.ts";
import { type SilentServer, startSilent } from "../silent.ts";

let worlds = 0;

/** Tables of a real server, with producers and workers on the statements that a user's have. */
export function postgresWorld(pool: pg.Pool): QueueWorld {
  const prefix = `w${++worlds}`;
  let received = 0;
  const tables = queueTables(pool);
  const silent: SilentServer[] = [];
  const counting = {
    async query(text: string, values?: unknown[]) {
      const answer = await pool.query(text, values);
      received += JSON.stringify(answer.rows).length;
      return answer;
    },
  };
  return {
    async open(at) {
      if (at === "silent") silent.push(await startSilent());
      const port = at === "nobody" ? await freePort() : silent.at(-1)?.port;
      const place = { url: `postgres://user@127.0.0.1:${port}/db`, secretFile: null };
      if (at === "server") return postgresQueue({ client: counting, clock: systemClock });
      return driver.open(place, systemClock);
    },
    queue: async (name) => `${prefix}:${name}`,
    produce: (queue, bodies) => tables.produce(queue, bodies),
    async take(queue, consumer, max) {
      const taken = await tables.take(queue, consumer, max);
      return taken.map((message) => ({
        body: message.body,
        settle: async () => void (await tables.settle(message)),
      }));
    },
    receivedBytes: () => received,
    async close() {
      for (const one of silent) await one.close();
    },
  };
}
