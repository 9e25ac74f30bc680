import {
  type Claim,
  type ClaimRequest,
  completed,
  decideClaim,
  decideComplete,
  type FenceRecord,
  granted,
  isHolder,
  nextToken,
  type RecordVersion,
  released,
  renewed,
  settlerId,
} from "../../../core/fence/record.ts";
import type { Clock } from "../../../ports/clock.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { FenceStore } from "../../../ports/fence-store.ts";
import { shardOf } from "../shard.ts";
import { type DynamoClient, orCondition } from "./client.ts";
import { itemOf, nameOf, recordOf } from "./item.ts";

export interface DynamoFenceConfig {
  readonly client: DynamoClient;
  /** A table with the text partition key `pk` and, for cleaning, time-to-live on `ttl`. */
  readonly table: string;
  /** DynamoDB has no clock to ask, so lease ends are read by the callers' wall clocks. */
  readonly clock: Pick<Clock, "wallMs">;
  /**
   * How far callers' wall clocks may differ. A lease counts as ended only this long after its end. Clocks further apart
   * end a lease early: the outcome is then unknown or resumed, never two owners. Default 2 s.
   */
  readonly clockSkewMs?: number;
  /** Token counters; one takes about 1 000 first claims a second. Fixed for the life of the data. Default 16. */
  readonly shards?: number;
}

/** With its record below the 400 KB of an item. @source Amazon DynamoDB, service quotas */
const RESULT_BYTES_MAX = 358_400;
const ROUNDS_MAX = 50;

type Place = { readonly scope: string; readonly key: string };

/** Reads and compare-and-set writes of records in one table. */
function tableOf({ client, table: TableName, shards = 16 }: DynamoFenceConfig) {
  const ifVersion = (version: RecordVersion) => ({
    ConditionExpression: "#state = :state AND #token = :token AND #beat = :beat",
    ExpressionAttributeNames: { "#state": "state", "#token": "token", "#beat": "beat" },
    ExpressionAttributeValues: {
      ":state": { S: version.state },
      ":token": { N: `${version.token}` },
      ":beat": { N: `${version.beat}` },
    },
  });
  const unwrap = <T>(answer: { readonly ok: T } | { readonly failed: unknown }): T => {
    if ("ok" in answer) return answer.ok;
    throw new DriverError("rejected", "never", "fence/dynamodb: a call without a condition failed one");
  };
  return {
    async read(place: Place): Promise<FenceRecord | null> {
      const key = { pk: { S: nameOf(place) } };
      const { Item } = unwrap(await orCondition(client.getItem({ TableName, Key: key, ConsistentRead: true })));
      return Item === undefined ? null : recordOf(Item);
    },
    /** Null when it was inserted, else what was there (undefined: it is gone again). */
    async insert(record: FenceRecord): Promise<FenceRecord | null | undefined> {
      const condition = { ConditionExpression: "attribute_not_exists(#pk)", ExpressionAttributeNames: { "#pk": "pk" } };
      const ask = {
        TableName,
        Item: itemOf(record),
        ...condition,
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      } as const;
      const answer = await orCondition(client.putItem(ask));
      if ("ok" in answer) return null;
      return answer.failed === null ? undefined : recordOf(answer.failed);
    },
    async swap(old: FenceRecord, next: FenceRecord | null): Promise<boolean> {
      const call =
        next === null
          ? client.deleteItem({ TableName, Key: { pk: { S: nameOf(old) } }, ...ifVersion(old) })
          : client.putItem({ TableName, Item: itemOf(next), ...ifVersion(old) });
      return "ok" in (await orCondition(call));
    },
    /** Counted before the grant that uses it and never deleted: a lost reply skips a token, nothing gives one twice. */
    async countToken(place: Place): Promise<number> {
      const update = {
        UpdateExpression: "ADD #last :one",
        ExpressionAttributeNames: { "#last": "last" },
        ExpressionAttributeValues: { ":one": { N: "1" } },
        ReturnValues: "UPDATED_NEW",
      } as const;
      const Key = { pk: { S: `token:${shardOf(place, shards)}` } };
      const { Attributes } = unwrap(await orCondition(client.updateItem({ TableName, Key, ...update })));
      const last = Attributes?.["last"];
      if (last === undefined || !("N" in last))
        throw new DriverError("rejected", "never", "fence/dynamodb: the token counter gave no number");
      return Number(last.N);
    },
  };
}

type Table = ReturnType<typeof tableOf>;

/** One round of a claim against the record it knows; a record instead of a claim is what to decide on next. */
async function claimRound(
  table: Table,
  request: ClaimRequest,
  known: FenceRecord | null,
  nowMs: number,
  skewMs: number,
) {
  const decision = decideClaim(known, request, nowMs - skewMs);
  if (decision.kind === "answer") return { claim: decision.claim };
  if (decision.kind === "mark-unknown") {
    const record = known as FenceRecord;
    const isMarked = await table.swap(record, { ...record, state: "unknown" });
    return isMarked ? { claim: { kind: "unknown", token: record.token, note: record.note } as const } : null;
  }
  const counted = request.kind === "work" ? await table.countToken(request) : 0;
  const token = nextToken(known, request, () => counted);
  const next = granted(request, token, nowMs);
  const held: Claim = { kind: "held", token, resumed: decision.resumed };
  if (known !== null) return (await table.swap(known, next)) ? { claim: held } : null;
  const found = await table.insert(next);
  if (found === null) return { claim: held };
  return found === undefined ? null : { found };
}

/** A fence in DynamoDB by conditional writes. Every first claim is two writes: its token, then its record. */
export function dynamoFence(config: DynamoFenceConfig): FenceStore {
  const { clock, clockSkewMs = 2_000 } = config;
  const table = tableOf(config);

  /** Reads, decides and swaps until nobody came between. */
  async function change<A>(
    place: Place,
    decide: (record: FenceRecord | null) => { answer: A; next?: FenceRecord | null },
  ): Promise<A> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const record = await table.read(place);
      const { answer, next } = decide(record);
      if (next === undefined || record === null || (await table.swap(record, next))) return answer;
    }
    throw new DriverError(
      "unreachable",
      "safe",
      `fence/dynamodb: a write lost ${ROUNDS_MAX} rounds to others; try again later`,
    );
  }

  return {
    name: "dynamodb",
    resultBytesMax: RESULT_BYTES_MAX,
    check: async () => ({ kind: "durable", found: "DynamoDB acknowledges after writing to several zones" }),
    async claim(request) {
      let known = await table.read(request);
      for (let round = 0; round < ROUNDS_MAX; round++) {
        const answer = await claimRound(table, request, known, clock.wallMs(), clockSkewMs);
        if (answer !== null && "claim" in answer) return answer.claim;
        known = answer === null ? await table.read(request) : answer.found;
      }
      throw new DriverError(
        "unreachable",
        "safe",
        `fence/dynamodb: a claim lost ${ROUNDS_MAX} rounds to others; try again later`,
      );
    },
    renew: (owner, leaseMs, note) =>
      change<boolean>(owner, (record) =>
        isHolder(record, owner)
          ? { answer: true, next: renewed(record, leaseMs - (leaseMs === 0 ? clockSkewMs : 0), note, clock.wallMs()) }
          : { answer: false },
      ),
    complete: (owner, result, retentionMs) =>
      change(owner, (record) => {
        const decision = decideComplete(record, owner);
        if (decision !== "write") return { answer: decision };
        return { answer: "stored", next: completed(record as FenceRecord, result, retentionMs, clock.wallMs()) };
      }),
    release: (owner) =>
      change<boolean>(owner, (record) =>
        isHolder(record, owner) ? { answer: true, next: released(record) } : { answer: false },
      ),
    read: (scope, key) => table.read({ scope, key }),
    settle: (scope, key, token, settlement) =>
      change<boolean>({ scope, key }, (record) => {
        if (record === null || record.state !== "unknown" || record.token !== token) return { answer: false };
        if (settlement.kind === "run-again") return { answer: true, next: null };
        const settled = { ...record, attemptId: settlerId(settlement.by) };
        return { answer: true, next: completed(settled, settlement.result, settlement.retentionMs, clock.wallMs()) };
      }),
    sweep: async () => 0, // DynamoDB's time-to-live on `ttl` deletes results past their retention.
  };
}
