import { Redis } from "ioredis";
import { redisStreams } from "../../../src/drivers/queue/redis-streams/index.ts";
import { Grant } from "../../../src/fence/grant.ts";
import type { QueueDriver } from "../../../src/ports/queue.ts";
import { pause, SERVICE } from "../served/world.ts";

/** Names of the queue's parts, as the document has them. */
export const QUEUE = { from: "jobs.blue", to: "jobs.green", pointer: "jobs" } as const;
const SIDES = [
  { release: "r-stable", group: "blue" },
  { release: "r-candidate", group: "green" },
] as const;

const BATCH = 50;
const SOON = () => AbortSignal.timeout(5_000);
type Read = readonly (readonly [
  stream: string,
  entries: readonly (readonly [id: string, fields: readonly string[]])[],
])[];

/**
 * Jobs through Redis: a source that makes 500 a second, a producer and a consumer of each release that ask for leave,
 * and what the jobs changed, which refuses a lower token than it has seen.
 */
export class Jobs {
  made = 0;
  /** How often each job took effect, by whom. */
  readonly effects = new Map<string, string[]>();
  readonly #waiting: string[] = [];
  readonly #redis: Redis;
  readonly #driver: QueueDriver;
  readonly #grants: Grant[] = [];
  readonly #loops: Promise<void>[] = [];
  readonly #clients: Redis[] = [];
  #highestToken = 0;
  #isOver = false;

  private constructor(redis: Redis) {
    this.#redis = redis;
    this.#driver = redisStreams({ client: redis });
  }

  static async begin(url: string, controller: string, token: string): Promise<Jobs> {
    const redis = new Redis(url);
    await redis.xgroup("CREATE", QUEUE.from, "blue", "0", "MKSTREAM");
    const jobs = new Jobs(redis);
    for (const { release, group } of SIDES) {
      const grantOf = (role: "producer" | "consumer") => {
        const grant = new Grant({ controller, token: () => token, service: SERVICE, release, role });
        jobs.#grants.push(grant);
        return grant;
      };
      const client = new Redis(url);
      jobs.#clients.push(client);
      jobs.#loops.push(jobs.#produce(grantOf("producer")), jobs.#consume(client, group, release, grantOf("consumer")));
    }
    jobs.#loops.push(jobs.#source());
    return jobs;
  }

  /** No more is made; resolves when all that was made took effect, or rejects after a while with what did not. */
  async finish(): Promise<void> {
    this.#isOver = true;
    const untilMs = performance.now() + 30_000;
    while (this.effects.size < this.made && performance.now() < untilMs) await pause(50);
    if (this.effects.size < this.made)
      throw new Error(`${this.made - this.effects.size} of ${this.made} jobs are lost`);
  }

  get doubled(): number {
    return [...this.effects.values()].filter((times) => times.length > 1).length;
  }

  /** Jobs that took effect by each release. */
  by(release: string): number {
    return [...this.effects.values()].filter((times) => times.includes(release)).length;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#grants.map((grant) => grant.stop()));
    this.#isStopped = true;
    await Promise.all(this.#loops);
    for (const client of [this.#redis, ...this.#clients]) client.disconnect();
  }

  #isStopped = false;

  async #source(): Promise<void> {
    while (!this.#isOver) {
      for (let one = 0; one < 5; one++) this.#waiting.push(`job-${this.made++}`);
      await pause(10);
    }
  }

  /** Writes what waits to the queue that the pointer names, while it may. */
  async #produce(grant: Grant): Promise<void> {
    while (!this.#isStopped) {
      await grant.act(async () => {
        const pointer = await this.#driver.readPointer(QUEUE.pointer, SOON());
        for (const job of this.#waiting.splice(0))
          await this.#redis.xadd(pointer?.producersTo ?? QUEUE.from, "*", "job", job);
      });
      await pause(5);
    }
  }

  /** Takes what its group is given in the queues that the pointer names, while its group is the one that acts. */
  async #consume(client: Redis, group: string, release: string, grant: Grant): Promise<void> {
    while (!this.#isStopped) {
      await grant.act(async (token) => {
        const pointer = await this.#driver.readPointer(QUEUE.pointer, SOON());
        const isMine = pointer === null ? group === "blue" : pointer.consumer === group && pointer.phase === "acting";
        if (!isMine) return;
        const queues = Object.keys(pointer?.from ?? {});
        for (const queue of queues.length === 0 ? [QUEUE.from] : queues)
          await this.#take(client, { queue, group, release, token });
      });
      await pause(5);
    }
  }

  async #take(
    client: Redis,
    { queue, group, release, token }: { queue: string; group: string; release: string; token: number },
  ): Promise<void> {
    const read = (await client
      .xreadgroup("GROUP", group, "w-1", "COUNT", BATCH, "STREAMS", queue, ">")
      .catch(ignoreNoGroup)) as Read | null;
    for (const [id, [, job = ""]] of read?.[0]?.[1] ?? []) {
      if (token < this.#highestToken) return; // Refused: what is not settled is given to the other arm.
      this.#highestToken = token;
      this.effects.set(job, [...(this.effects.get(job) ?? []), release]);
      await client.xack(queue, group, id);
    }
  }
}

/** The group was stopped between the look at the pointer and the reading. */
function ignoreNoGroup(error: Error): null {
  if (error.message.startsWith("NOGROUP")) return null;
  throw error;
}
