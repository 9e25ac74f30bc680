import {
  type Claim,
  type ClaimRequest,
  decideClaim,
  type FenceOwner,
  isHolder,
  type OwnerAnswer,
  released,
  settlerId,
} from "../../../core/fence/record.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { FenceDurability, FenceStore } from "../../../ports/fence-store.ts";
import { createBatch } from "../../batch.ts";
import { shardOf } from "../shard.ts";
import { command, type RedisClient, type ScriptRunner, scriptRunner } from "./client.ts";
import { decode, encode, fixedLines } from "./codec.ts";

export interface RedisFenceConfig {
  readonly client: RedisClient;
  /** Prefix of every key. Default `sluice-fence`. */
  readonly prefix?: string;
  /**
   * `required` (default): `check` refuses a server that acknowledges before it has written (anything but appendfsync
   * always) or that may evict keys. `relaxed`: a crash may forget acknowledged keys, and with them the promise.
   */
  readonly durability?: "required" | "relaxed";
  /**
   * Hash slots the keys spread over; 1 for one server, e.g. 64 for a cluster. Fixed for the life of the data. Default
   * 1.
   */
  readonly shards?: number;
  /** Claims, or completions, in one script call at most; the server does nothing else meanwhile. Default 128. */
  readonly batchMax?: number;
}

const RESULT_BYTES_MAX = 1_048_576;
const CLAIM_ROUNDS_MAX = 50;
/** One script at a time: the server runs one anyway, and what waits makes the next batch larger. */
const IN_FLIGHT_MAX = 1;

interface Completion extends FenceOwner {
  readonly result: string;
  readonly retentionMs: number;
}

type Place = { readonly scope: string; readonly key: string };

/**
 * Names keys so that a record and its token counter share a cluster slot. Keys hold no line break, so names are unique.
 */
function namesFor(prefix: string, shards: number) {
  return {
    shardOf: (place: Place) => shardOf(place, shards),
    counter: (shard: number) => `{${prefix}:${shard}}:token`,
    record: (place: Place) => `{${prefix}:${shardOf(place, shards)}}:${place.key}\n${place.scope}`,
  };
}

type Names = ReturnType<typeof namesFor>;

const tailOf = (request: ClaimRequest) => `${JSON.stringify(request.note)}\n${fixedLines(request)}\n`;

/** Writes a claim's transition if the record is still the text that was read. Null: it moved, ask again. */
async function writeClaim(
  run: ScriptRunner,
  names: Names,
  request: ClaimRequest,
  text: string,
  resumed: boolean | null,
) {
  const record = decode(request.scope, request.key, text);
  const name = names.record(request);
  if (resumed === null) {
    const swapped = await run("swap", [name], [text, encode({ ...record, state: "unknown" }), ""]);
    return swapped === 1 ? ({ kind: "unknown", token: record.token, note: record.note } as const) : null;
  }
  const next = request.kind === "lease" ? String(record.token + 1) : "";
  const keys = [names.counter(names.shardOf(request)), name];
  const token = await run("regrant", keys, [text, request.attemptId, request.leaseMs, tailOf(request), next]);
  return typeof token === "number" ? ({ kind: "held", token, resumed } as const) : null;
}

/** Claims of one shard: one script call for all, then one more for each transition that is not a plain new grant. */
async function claimBatch(run: ScriptRunner, names: Names, asked: readonly ClaimRequest[]): Promise<readonly Claim[]> {
  const answers = asked.map((): Claim | null => null);
  let open = asked.map((_, index) => index);
  for (let round = 0; open.length > 0; round++) {
    if (round === CLAIM_ROUNDS_MAX) {
      throw new DriverError(
        "unreachable",
        "safe",
        `fence/redis: a claim lost ${round} rounds to others; try again later`,
      );
    }
    const requests = open.map((index) => asked[index] as ClaimRequest);
    const keys = [names.counter(names.shardOf(requests[0] as ClaimRequest)), ...requests.map(names.record)];
    const args = requests.flatMap((r) => [r.attemptId, r.leaseMs, (r.kind === "lease" ? "1" : "0") + tailOf(r)]);
    const [now, ...found] = (await run("claim", keys, args)) as [string, ...(string | number)[]];
    const settled = requests.map(async (request, place): Promise<Claim | null> => {
      const one = found[place];
      if (typeof one === "number") return { kind: "held", token: one, resumed: false };
      const decision = decideClaim(decode(request.scope, request.key, one as string), request, Number(now));
      if (decision.kind === "answer") return decision.claim;
      return writeClaim(run, names, request, one as string, decision.kind === "grant" ? decision.resumed : null);
    });
    const claims = await Promise.all(settled);
    for (const [place, index] of open.entries()) answers[index] = claims[place] ?? null;
    open = open.filter((index) => answers[index] === null);
  }
  return answers as Claim[];
}

async function completeBatch(
  run: ScriptRunner,
  names: Names,
  asked: readonly Completion[],
): Promise<readonly OwnerAnswer[]> {
  const args = asked.flatMap((c) => [c.attemptId, String(c.token), c.result, Math.max(1, Math.ceil(c.retentionMs))]);
  return (await run("complete", asked.map(names.record), args)) as OwnerAnswer[];
}

async function readDurability(client: RedisClient): Promise<FenceDurability> {
  const settings = new Map<string, string>();
  for (const name of ["appendonly", "appendfsync", "maxmemory-policy"]) {
    const pair = await command(client, "CONFIG", "GET", name).catch(() => null);
    if (!Array.isArray(pair) || pair.length < 2) return { kind: "unknown", found: `CONFIG GET ${name} is not allowed` };
    settings.set(name, String(pair[1]));
  }
  const found = [...settings].map(([name, value]) => `${name}=${value}`).join(" ");
  const isWritten = settings.get("appendonly") === "yes" && settings.get("appendfsync") === "always";
  return { kind: isWritten && settings.get("maxmemory-policy") === "noeviction" ? "durable" : "relaxed", found };
}

/** One batcher for each shard, because a script may touch one cluster slot only. */
function perShard<Q extends Place, A>(
  names: Names,
  make: () => (question: Q) => Promise<A>,
): (question: Q) => Promise<A> {
  const batches = new Map<number, (question: Q) => Promise<A>>();
  return (question) => {
    const shard = names.shardOf(question);
    const batch = batches.get(shard) ?? make();
    batches.set(shard, batch);
    return batch(question);
  };
}

/** A fence in Redis 6 or newer, or in a server that speaks its protocol and runs Lua scripts. */
export function redisFence(config: RedisFenceConfig): FenceStore {
  const { client, prefix = "sluice-fence", durability = "required", shards = 1, batchMax: sizeMax = 128 } = config;
  const [names, run] = [namesFor(prefix, shards), scriptRunner(client)];
  const limits = { idOf: null, sizeMax, inFlightMax: IN_FLIGHT_MAX };
  const claim = perShard(names, () =>
    createBatch({ run: (asked: readonly ClaimRequest[]) => claimBatch(run, names, asked), ...limits }),
  );
  const complete = perShard(names, () =>
    createBatch({ run: (asked: readonly Completion[]) => completeBatch(run, names, asked), ...limits }),
  );

  async function readText(place: Place): Promise<{ readonly text: string | null; readonly nowMs: number }> {
    const [now, text] = (await run("read", [names.record(place)], [])) as [string, string | null | undefined];
    return { text: text ?? null, nowMs: Number(now) };
  }

  return {
    name: "redis",
    resultBytesMax: RESULT_BYTES_MAX,
    async check() {
      const durable = await readDurability(client);
      if (durable.kind !== "relaxed" || durability === "relaxed") return durable;
      const needs = "appendonly=yes appendfsync=always maxmemory-policy=noeviction";
      const advice = "set them, or open the fence with durability: relaxed and accept lost keys after a crash";
      throw new DriverError("rejected", "never", `fence/redis: needs ${needs}, found ${durable.found}; ${advice}`);
    },
    claim,
    complete: (owner, result, retentionMs) => complete({ ...owner, result, retentionMs }),
    async renew(owner, leaseMs, note) {
      const args = [owner.attemptId, String(owner.token), leaseMs, note === null ? "" : JSON.stringify(note)];
      return (await run("renew", [names.record(owner)], args)) === 1;
    },
    async release(owner) {
      for (;;) {
        const { text } = await readText(owner);
        const record = text === null ? null : decode(owner.scope, owner.key, text);
        if (text === null || !isHolder(record, owner)) return false;
        const next = released(record);
        const swapped = await run("swap", [names.record(owner)], [text, next === null ? "" : encode(next), ""]);
        if (swapped === 1) return true; // Otherwise our own renewal came between: read again.
      }
    },
    async read(scope, key) {
      const { text } = await readText({ scope, key });
      return text === null ? null : decode(scope, key, text);
    },
    async settle(scope, key, token, settlement) {
      const { text, nowMs } = await readText({ scope, key });
      const record = text === null ? null : decode(scope, key, text);
      if (text === null || record === null || record.state !== "unknown" || record.token !== token) return false;
      if (settlement.kind === "run-again") return (await run("swap", [names.record(record)], [text, "", ""])) === 1;
      const { by, result, retentionMs } = settlement;
      const done = {
        ...record,
        state: "done",
        attemptId: settlerId(by),
        result,
        expiresAtMs: nowMs + retentionMs,
      } as const;
      return (
        (await run("swap", [names.record(record)], [text, encode(done), Math.max(1, Math.ceil(retentionMs))])) === 1
      );
    },
    sweep: async () => 0, // Redis deletes results at the end of their retention by itself.
  };
}
