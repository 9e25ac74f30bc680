import type pg from "pg";
import { bossQueue, driver } from "../../../../src/drivers/queue/pg-boss/index.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import type { QueueWorld } from "../../../../src/testing/queue-suite.ts";
import { freePort } from "../../../free-port.ts";
import type { Boss } from "../clients.ts";
import { type SilentServer, startSilent } from "../silent.ts";

const BATCH = 5_000;
let worlds = 0;
let jobs = 0;

/** Jobs of one instant are ordered by their ids: these grow, so that a batch keeps its order. */
const nextId = () => `00000000-0000-4000-8000-${(++jobs).toString(16).padStart(12, "0")}`;

/** Queues of pg-boss on a real server; producers and workers are pg-boss's own. */
export function bossWorld(pool: pg.Pool, boss: Boss): QueueWorld {
  const prefix = `w${++worlds}`;
  const made = new Set<string>();
  const silent: SilentServer[] = [];
  let received = 0;
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
      return at === "server" ? bossQueue({ client: counting, clock: systemClock }) : driver.open(place, systemClock);
    },
    queue: async (name) => `${prefix}-${name}`,
    async produce(queue, bodies) {
      if (!made.has(queue)) await boss.createQueue(queue);
      made.add(queue);
      for (let from = 0; from < bodies.length; from += BATCH) {
        const batch = bodies.slice(from, from + BATCH).map((body) => ({ id: nextId(), data: { body } }));
        await boss.insert(queue, batch);
      }
    },
    async take(queue, _, max) {
      if (!made.has(queue)) return [];
      const taken = await boss.fetch(queue, { batchSize: max });
      const inOrder = [...taken].sort((a, b) => (a.id < b.id ? -1 : 1));
      return inOrder.map(({ id, data }) => ({
        body: data.body,
        settle: async () => void (await boss.complete(queue, id)),
      }));
    },
    receivedBytes: () => received,
    async close() {
      for (const one of silent) await one.close();
    },
  };
}
