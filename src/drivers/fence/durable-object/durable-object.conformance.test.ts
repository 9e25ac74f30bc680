import { describe, expect, it } from "vitest";
import { fenceConformance, type FenceWorld } from "../../../testing/fence-suite.ts";
import { manualClock } from "../../../testing/manual-clock.ts";
import { durableObjectFence, type FenceNamespace } from "./driver.ts";
import { FenceShard, type ObjectCall, type ObjectStorage } from "./object.ts";

/** A fake of one object's storage: asynchronous, sorted, copying values in and out. */
function fakeStorage(): ObjectStorage {
  const values = new Map<string, unknown>();
  return {
    get: async <T>(key: string) => structuredClone(values.get(key)) as T | undefined,
    async put(entries) {
      for (const [key, value] of Object.entries(structuredClone(entries))) values.set(key, value);
    },
    delete: async (keys) => keys.filter((key) => values.delete(key)).length,
    async list<T>({ prefix, startAfter = "", limit }: { prefix: string; startAfter?: string; limit: number }) {
      const names = [...values.keys()].sort().filter((name) => name.startsWith(prefix) && name > startAfter);
      return new Map(names.slice(0, limit).map((name) => [name, values.get(name) as T]));
    },
  };
}

function fakeNamespace(nowMs: () => number): FenceNamespace<string> {
  const shards = new Map<string, FenceShard>();
  return {
    idFromName: (name) => name,
    get(id) {
      const shard = shards.get(id) ?? new FenceShard(fakeStorage(), nowMs);
      shards.set(id, shard);
      return {
        fetch: async (_, { body }) =>
          Response.json({ answer: (await shard.run(JSON.parse(body) as ObjectCall)) ?? null }),
      };
    },
  };
}

function world(): FenceWorld {
  const clock = manualClock();
  const namespace = fakeNamespace(() => clock.wallMs());
  return {
    open: () => durableObjectFence({ namespace, shards: 3 }),
    advance: clock.advance,
    prefix: "o",
    leaseMs: 200,
  };
}

describe("fence/durable-object on fake storage (workerd runs the same suite in test/runtime/workerd)", () => {
  fenceConformance(world, it);

  it("sweeps 700 results over several pages and keeps the locked key among them", async () => {
    const clock = manualClock();
    const store = durableObjectFence({ namespace: fakeNamespace(() => clock.wallMs()), shards: 1 });
    const claim = {
      scope: "s",
      fingerprint: "",
      attemptId: "a",
      leaseMs: 10,
      effectKey: null,
      note: "",
      kind: "work",
      observed: null,
    } as const;
    for (let index = 0; index < 701; index++) {
      const answer = (await store.claim({ ...claim, key: `k${index}` })) as { token: number };
      if (index > 0)
        await store.complete({ scope: "s", key: `k${index}`, attemptId: "a", token: answer.token }, "1", 100);
    }
    await clock.advance(200);
    expect([await store.sweep(500), await store.sweep(500), await store.sweep(500)]).toEqual([500, 200, 0]);
    expect((await store.read("s", "k0"))?.state).toBe("locked");
  });

  it("says unreachable, safe to send again, when the object does not answer", async () => {
    const namespace: FenceNamespace<string> = {
      idFromName: (name) => name,
      get: () => ({ fetch: async () => new Response("", { status: 503 }) }),
    };
    await expect(durableObjectFence({ namespace }).read("s", "k")).rejects.toMatchObject({
      code: "unreachable",
      retry: "safe",
    });
  });
});
