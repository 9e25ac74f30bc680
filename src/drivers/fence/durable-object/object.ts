import {
  completed,
  decideClaim,
  decideComplete,
  type FenceRecord,
  granted,
  isHolder,
  isSweepable,
  nextToken,
  released,
  renewed,
  settlerId,
} from "../../../core/fence/record.ts";
import type { FenceStore } from "../../../ports/fence-store.ts";

/** The part of a Durable Object's storage we call. */
export interface ObjectStorage {
  get<T>(key: string): Promise<T | undefined>;
  put(entries: Record<string, unknown>): Promise<void>;
  delete(keys: string[]): Promise<number>;
  list<T>(options: { prefix: string; startAfter?: string; limit: number }): Promise<Map<string, T>>;
}

/** What a caller sends: a method of the store and its arguments. */
export interface ObjectCall {
  readonly method: Exclude<keyof FenceStore, "name" | "resultBytesMax" | "check">;
  readonly args: readonly unknown[];
}

const TOKEN = "token";
const recordName = (of: { readonly scope: string; readonly key: string }) => `r:${of.key}\n${of.scope}`;
/** Records looked at in one listing of a sweep. */
const PAGE = 256;

/**
 * The fence of one shard inside a Durable Object. Calls run one after another in `serial`, so that reading, deciding
 * and writing cannot interleave; the runtime holds back every answer until its write is on disk. The token counter is a
 * storage key of its own and is never deleted.
 */
export class FenceShard {
  readonly #storage: ObjectStorage;
  readonly #nowMs: () => number;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(storage: ObjectStorage, nowMs: () => number) {
    this.#storage = storage;
    this.#nowMs = nowMs;
  }

  run(call: ObjectCall): Promise<unknown> {
    const answer = this.#tail.then(() => this.#dispatch(call));
    this.#tail = answer.catch(() => null);
    return answer;
  }

  async #dispatch({ method, args }: ObjectCall): Promise<unknown> {
    if (!Object.hasOwn(this.#operations, method)) throw new Error(`invariant: the fence has no method ${method}`);
    const operation = this.#operations[method] as (...given: readonly unknown[]) => Promise<unknown>;
    return operation(...args);
  }

  async #read(of: { readonly scope: string; readonly key: string }): Promise<FenceRecord | null> {
    return (await this.#storage.get<FenceRecord>(recordName(of))) ?? null;
  }

  #write(record: FenceRecord): Promise<void> {
    return this.#storage.put({ [recordName(record)]: record });
  }

  readonly #operations: Omit<FenceStore, "name" | "resultBytesMax" | "check"> = {
    claim: async (request) => {
      const [record, nowMs] = [await this.#read(request), this.#nowMs()];
      const decision = decideClaim(record, request, nowMs);
      if (decision.kind === "answer") return decision.claim;
      if (decision.kind === "mark-unknown") {
        const unknown = { ...(record as FenceRecord), state: "unknown" } as const;
        await this.#write(unknown);
        return { kind: "unknown", token: unknown.token, note: unknown.note };
      }
      const last = (await this.#storage.get<number>(TOKEN)) ?? 0;
      const token = nextToken(record, request, () => last + 1);
      const next = { [recordName(request)]: granted(request, token, nowMs) };
      await this.#storage.put(request.kind === "lease" ? next : { ...next, [TOKEN]: token });
      return { kind: "held", token, resumed: decision.resumed };
    },
    renew: async (owner, leaseMs, note) => {
      const record = await this.#read(owner);
      if (!isHolder(record, owner)) return false;
      await this.#write(renewed(record, leaseMs, note, this.#nowMs()));
      return true;
    },
    complete: async (owner, result, retentionMs) => {
      const record = await this.#read(owner);
      const decision = decideComplete(record, owner);
      if (decision !== "write") return decision;
      await this.#write(completed(record as FenceRecord, result, retentionMs, this.#nowMs()));
      return "stored";
    },
    release: async (owner) => {
      const record = await this.#read(owner);
      if (!isHolder(record, owner)) return false;
      const next = released(record);
      await (next === null ? this.#storage.delete([recordName(record)]) : this.#write(next));
      return true;
    },
    read: (scope, key) => this.#read({ scope, key }),
    settle: async (scope, key, token, settlement) => {
      const record = await this.#read({ scope, key });
      if (record === null || record.state !== "unknown" || record.token !== token) return false;
      if (settlement.kind === "run-again") await this.#storage.delete([recordName(record)]);
      else {
        const settled = { ...record, attemptId: settlerId(settlement.by) };
        await this.#write(completed(settled, settlement.result, settlement.retentionMs, this.#nowMs()));
      }
      return true;
    },
    sweep: async (limit) => {
      const due: string[] = [];
      let startAfter: string | undefined;
      while (due.length < limit) {
        const options = { prefix: "r:", limit: PAGE, ...(startAfter === undefined ? {} : { startAfter }) };
        const page = await this.#storage.list<FenceRecord>(options);
        for (const [name, record] of page) {
          startAfter = name;
          if (due.length < limit && isSweepable(record, this.#nowMs())) due.push(name);
        }
        if (page.size < PAGE) break;
      }
      for (let from = 0; from < due.length; from += DELETE_MAX)
        await this.#storage.delete(due.slice(from, from + DELETE_MAX));
      return due.length;
    },
  };
}

/** Keys one `delete` takes. @source Cloudflare Durable Objects, storage API limits */
const DELETE_MAX = 128;

/**
 * Export it from a Worker and bind it as a Durable Object namespace; `durableObjectFence` talks to it.
 * Reached only through that binding: it answers whoever holds it.
 */
export class FenceObject {
  readonly #shard: FenceShard;

  constructor(state: { readonly storage: ObjectStorage }) {
    this.#shard = new FenceShard(state.storage, () => Date.now());
  }

  async fetch(request: Request): Promise<Response> {
    const answer = await this.#shard.run((await request.json()) as ObjectCall);
    return Response.json({ answer: answer ?? null });
  }
}
