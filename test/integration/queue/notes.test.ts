import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openNotes, postgresNotes, type QueueNotes, redisNotes } from "../../../src/drivers/queue/notes-elsewhere.ts";
import { never, pointerRecord } from "../../../src/testing/queue-world.ts";
import { freePort } from "../../free-port.ts";
import { hasPostgres, hasRedis, startPostgres, startRedis } from "../fence/servers.ts";

interface Store {
  readonly url: string;
  open(prefix: string): QueueNotes;
  stop(): Promise<void>;
}

async function inRedis(): Promise<Store> {
  const server = await startRedis(["--appendonly", "no"]);
  const client = new Redis(server.port, "127.0.0.1");
  return {
    url: `redis://127.0.0.1:${server.port}`,
    open: (prefix) => redisNotes("queue/test", client, prefix),
    async stop() {
      client.disconnect();
      await server.stop();
    },
  };
}

async function inPostgres(): Promise<Store> {
  const server = await startPostgres();
  const pool = server.connect();
  return {
    url: server.url,
    open: (prefix) => postgresNotes("queue/test", pool, prefix),
    async stop() {
      await pool.end();
      await server.stop();
    },
  };
}

describe.each([
  ["Redis", hasRedis, inRedis],
  ["PostgreSQL", hasPostgres, inPostgres],
] as const)("notes of a queue, kept in %s", (_, has, start) => {
  const isHere = has();
  let store: Store;
  beforeAll(async () => {
    if (isHere) store = await start();
  });
  afterAll(async () => store?.stop());
  const of = (consumer: string) => ({ queue: "jobs", consumer });

  it.skipIf(!isHere)("takes each start and stop once, tells a late one the epoch that is there", async () => {
    const notes = store.open("once");
    const seen = [];
    for (const [what, epoch] of [
      ["start", 3],
      ["start", 3],
      ["stop", 3],
      ["stop", 2],
      ["stop", 4],
      ["stop", 4],
      ["start", 4],
      ["start", 1],
    ] as const)
      seen.push(await notes.note(what, of("blue"), epoch, never));
    const late = (epoch: number) => ({ kind: "late", epoch });
    const [noted, same] = [{ kind: "noted" }, { kind: "same" }];
    expect(seen.map((one) => (one.kind === "late" ? one : { kind: one.kind }))).toEqual([
      noted,
      same,
      late(3),
      late(3),
      noted,
      expect.objectContaining({ kind: expect.stringMatching(/noted|same/) }),
      noted,
      late(4),
    ]);
  });

  it.skipIf(!isHere)("lists the consumers of a queue, of one that nobody noted none", async () => {
    const notes = store.open("list");
    await notes.note("start", of("green"), 1, never);
    await notes.note("stop", of("blue"), 1, never);
    expect(Object.fromEntries(await notes.consumers("jobs", never))).toEqual({ green: "start", blue: "stop" });
    expect((await notes.consumers("other", never)).size).toBe(0);
  });

  it.skipIf(!isHere)("lets one of 20 first movers win, and its clock goes on", async () => {
    const notes = store.open("race");
    const before = await notes.nowUs(never);
    const movers = Array.from({ length: 20 }, (_one, racer) =>
      store.open("race").movePointer("jobs", pointerRecord({ consumer: `racer-${racer}` }), never),
    );
    expect((await Promise.all(movers)).filter(({ kind }) => kind === "moved")).toHaveLength(1);
    expect((await notes.nowUs(never)) > before).toBe(true);
  });

  it.skipIf(!isHere)("opens by its address, and says unreachable where nobody listens", async () => {
    const opened = await openNotes("queue/test", { url: store.url, secretFile: null });
    expect(await opened.readPointer("never moved", never)).toBe(null);
    await opened.close();
    const address = new URL(store.url);
    address.port = `${await freePort()}`;
    const away = await openNotes("queue/test", { url: address.href, secretFile: null });
    await expect(away.readPointer("jobs", never)).rejects.toMatchObject({ code: "unreachable", retry: "safe" });
    await away.close();
  });
});
