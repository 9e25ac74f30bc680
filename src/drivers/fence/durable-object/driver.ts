import { DriverError } from "../../../ports/driver-error.ts";
import type { FenceStore } from "../../../ports/fence-store.ts";
import { shardOf } from "../shard.ts";
import type { ObjectCall } from "./object.ts";

/** The part of a Durable Object namespace binding we call. */
export interface FenceNamespace<Id = unknown> {
  idFromName(name: string): Id;
  get(id: Id): { fetch(url: string, init: { method: string; body: string }): Promise<Response> };
}

export interface DurableObjectFenceConfig<Id = unknown> {
  readonly namespace: FenceNamespace<Id>;
  /** Objects the keys spread over; each is one thread at one place. Fixed for the life of the data. Default 16. */
  readonly shards?: number;
  /** Prefix of the objects' names. Default `fence`. */
  readonly prefix?: string;
}

/**
 * Results above this do not fit a storage value with the rest of their record. @source Durable Objects limits: 128 KiB
 * a value
 */
const RESULT_BYTES_MAX = 98_304;

/** A fence in Durable Objects. Their storage answers only after it has written, so there is nothing to check. */
export function durableObjectFence<Id>(config: DurableObjectFenceConfig<Id>): FenceStore {
  const { namespace, shards = 16, prefix = "fence" } = config;
  const stubOf = (shard: number) => namespace.get(namespace.idFromName(`${prefix}:${shard}`));

  async function ask<T>(shard: number, method: ObjectCall["method"], args: readonly unknown[]): Promise<T> {
    try {
      const body = JSON.stringify({ method, args } satisfies ObjectCall);
      const response = await stubOf(shard).fetch("https://fence.invalid/", { method: "POST", body });
      if (!response.ok) throw new Error(`the object answered ${response.status}`);
      return ((await response.json()) as { answer: T }).answer;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new DriverError("unreachable", "safe", `fence/durable-object: ${method}: ${message}`, error);
    }
  }

  const placeOf = (of: { readonly scope: string; readonly key: string }) => shardOf(of, shards);
  return {
    name: "durable-object",
    resultBytesMax: RESULT_BYTES_MAX,
    check: async () => ({ kind: "durable", found: "output gates: an answer waits for its write" }),
    claim: (request) => ask(placeOf(request), "claim", [request]),
    renew: (owner, leaseMs, note) => ask(placeOf(owner), "renew", [owner, leaseMs, note]),
    complete: (owner, result, retentionMs) => ask(placeOf(owner), "complete", [owner, result, retentionMs]),
    release: (owner) => ask(placeOf(owner), "release", [owner]),
    read: (scope, key) => ask(placeOf({ scope, key }), "read", [scope, key]),
    settle: (scope, key, token, settlement) => ask(placeOf({ scope, key }), "settle", [scope, key, token, settlement]),
    async sweep(limit) {
      let swept = 0;
      for (let shard = 0; shard < shards && swept < limit; shard++)
        swept += await ask<number>(shard, "sweep", [limit - swept]);
      return swept;
    },
  };
}
