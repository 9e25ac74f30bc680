import { DriverError } from "../../../ports/driver-error.ts";
import {
  type AddAnswer,
  type ClaimedBatch,
  type ClaimedRow,
  type ClaimOrder,
  checkOutboxRows,
  type DeathCause,
  type OutboxClaim,
  type OutboxCounts,
  type OutboxRow,
  type OutboxStore,
} from "../../../ports/outbox-store.ts";
import { createBatch } from "../../batch.ts";
import { noTransaction, type PostgresClient, queryInside, queryRows } from "./client.ts";
import { type EventRow, eventOf, storedPayload } from "./payload.ts";
import { type Statements, statementsFor } from "./statements.ts";

export interface PostgresOutboxConfig {
  readonly client: PostgresClient;
  /** Plain lower-case name, optionally with a schema. Default `sluice_outbox`. */
  readonly table?: string;
  /** How long a sent row is kept, and its effect key refused a second time. Default 14 days. */
  readonly retentionMs?: number;
}

export interface PostgresOutbox extends OutboxStore<PostgresClient> {
  /** Creates the tables and indexes where they are missing. Idempotent; run it at deployment, not per process. */
  migrate(): Promise<void>;
}

const RETENTION_MS = 14 * 24 * 3_600_000;

async function addRows(transaction: PostgresClient, sql: Statements, rows: readonly OutboxRow[]): Promise<AddAnswer> {
  checkOutboxRows(rows);
  if (rows.length === 0) return { added: [], repeated: [], mismatched: [] };
  const places = rows.filter(({ orderKey }) => (orderKey ?? null) !== null);
  const locks = places.map(({ topic, orderKey }) => JSON.stringify([topic, orderKey]));
  await queryInside(transaction, sql.enter, [locks]);
  const payloads = rows.map(storedPayload);
  const event = [
    rows.map((row) => row.effectKey),
    rows.map((row) => row.topic),
    rows.map((row) => row.orderKey ?? null),
    payloads.map(({ text }) => text),
    payloads.map(({ isBytes }) => isBytes),
  ];
  const more = [rows.map((row) => JSON.stringify(row.headers ?? {})), rows.map((row) => row.notBeforeEpochMs ?? null)];
  const inserted = await queryInside<{ effect_key: string }>(transaction, sql.add, [...event, ...more]);
  const added = inserted.map((row) => row.effect_key);
  if (added.length === rows.length) return { added, repeated: [], mismatched: [] };
  return { added, ...(await compareRows(transaction, sql, event, added)) };
}

/** Sorts the rows that were not new into those that say the same again and those that do not. */
async function compareRows(
  transaction: PostgresClient,
  sql: Statements,
  event: readonly (readonly unknown[])[],
  added: readonly string[],
): Promise<Omit<AddAnswer, "added">> {
  const found = await queryInside<{ effect_key: string; is_same: boolean }>(transaction, sql.compare, [...event]);
  if (found.length < (event[0] as readonly unknown[]).length) throw noTransaction("add");
  const fresh = new Set(added);
  const before = found.filter(({ effect_key }) => !fresh.delete(effect_key)); // Its second mention is a repetition.
  const keysOf = (isSame: boolean) => before.filter((row) => row.is_same === isSame).map((row) => row.effect_key);
  return { repeated: keysOf(true), mismatched: keysOf(false) };
}

/** Rows marked as sent in one statement at most. */
const MARKS_MAX = 256;

/** Looks of one claim at the rows that are due, when rows behind others were in the way of the ones before. */
const LOOKS_MAX = 10;

/** What comes back of a claim that found nothing, or that a newer epoch forbids. */
interface NoRow {
  readonly fence_epoch: string | null;
  readonly parked_rows: number;
  readonly id: null;
}

interface ClaimRow extends EventRow {
  readonly fence_epoch: string | null;
  readonly parked_rows: number;
  readonly token: string;
  readonly doubtful: boolean;
}

/** One look at the rows that are due. `parked`: rows that were in the way and no longer are. */
async function claimOnce(client: PostgresClient, sql: Statements, order: ClaimOrder) {
  const { owner, epoch, leaseMs, limit, afterDead } = order;
  const rows = await queryRows<ClaimRow | NoRow>(client, sql.claim, [
    owner,
    epoch,
    leaseMs,
    limit,
    afterDead === "block",
  ]);
  if ((rows[0]?.fence_epoch ?? null) === null) return null;
  const claimed = rows.filter((row): row is ClaimRow => row.id !== null);
  return {
    rows: claimed.map((row) => ({ ...eventOf(row), token: Number(row.token), doubtful: row.doubtful })),
    parked: rows[0]?.parked_rows ?? 0,
  };
}

async function claimRows(client: PostgresClient, sql: Statements, order: ClaimOrder): Promise<ClaimedBatch> {
  const rows: ClaimedRow[] = [];
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const look = await claimOnce(client, sql, { ...order, limit: order.limit - rows.length });
    if (look === null && rows.length === 0) {
      const [newest] = await queryRows<{ epoch: string }>(client, sql.readEpoch, []);
      return { kind: "stale-epoch", epoch: Number(newest?.epoch ?? 0) };
    }
    rows.push(...(look?.rows ?? []));
    if (look === null || look.parked === 0 || rows.length === order.limit) break;
  }
  return { kind: "claimed", rows };
}

interface DeadRow extends EventRow {
  readonly because: DeathCause;
  readonly error: string;
  readonly died_at_ms: number;
}

interface CountsRow extends Omit<OutboxCounts, "oldestUnsentMs"> {
  readonly oldest_unsent_ms: number | null;
}

/** What operators see and do. */
function deskOf(client: PostgresClient, sql: Statements, retentionMs: number) {
  const didChange = async (text: string, values: unknown[]) => (await queryRows(client, text, values)).length === 1;
  return {
    async deadLetters(limit: number) {
      const rows = await queryRows<DeadRow>(client, sql.deadLetters, [limit]);
      return rows.map((row) => {
        const { because, error, died_at_ms: diedAtEpochMs } = row;
        return { ...eventOf(row), because, error, diedAtEpochMs };
      });
    },
    replay: (effectKey: string) => didChange(sql.replay, [effectKey]),
    settle: (effectKey: string, by: string) => didChange(sql.settle, [effectKey, `settled:${by}`]),
    async counts(): Promise<OutboxCounts> {
      const [row] = await queryRows<CountsRow>(client, sql.counts, []);
      if (row === undefined) throw new DriverError("unreachable", "safe", "outbox/postgres: counts gave no row");
      const { oldest_unsent_ms: oldestUnsentMs, ...counts } = row;
      return { ...counts, oldestUnsentMs };
    },
    sweep: async (limit: number) => (await queryRows(client, sql.sweep, [limit, retentionMs])).length,
  };
}

/**
 * An outbox in PostgreSQL 13 or newer, or in PGlite. All times are the server's, so relays need no common clock. Rows
 * that were sent in one turn of the event loop are marked in one statement.
 */
export function postgresOutbox(config: PostgresOutboxConfig): PostgresOutbox {
  const { client, table = "sluice_outbox", retentionMs = RETENTION_MS } = config;
  const sql = statementsFor(table);
  let raisedTo = -1;
  const markOne = async (text: string, { owner, id, token }: OutboxClaim, more: unknown[]) =>
    (await queryRows(client, text, [owner, id, token, ...more])).length === 1;
  /** One statement for each owner; a relay has one. */
  async function markMany(text: string, claims: readonly OutboxClaim[]): Promise<readonly string[]> {
    const ids: string[] = [];
    for (const owner of new Set(claims.map((claim) => claim.owner))) {
      const own = claims.filter((claim) => claim.owner === owner);
      const values = [owner, own.map(({ id }) => id), own.map(({ token }) => token)];
      const rows = await queryRows<{ id: string }>(client, text, values);
      ids.push(...rows.map(({ id }) => id));
    }
    return ids;
  }
  const isSent = createBatch({
    async run(claims: readonly OutboxClaim[]) {
      const ids = new Set(await markMany(sql.markSent, claims));
      return claims.map(({ id }) => ids.has(id));
    },
    idOf: ({ id }) => id, // Two owners of one row are never asked about together.
    sizeMax: MARKS_MAX,
    inFlightMax: 2,
  });
  return {
    name: "postgres",
    async migrate() {
      for (const text of sql.migrate) await queryRows(client, text, []);
    },
    add: (transaction, rows) => addRows(transaction, sql, rows),
    async claimBatch(order) {
      if (raisedTo !== order.epoch) await queryRows(client, sql.raiseEpoch, [order.epoch]);
      raisedTo = order.epoch;
      return claimRows(client, sql, order);
    },
    async markSent(claims) {
      const marked = await Promise.all(claims.map(isSent));
      return claims.filter((_, index) => marked[index]).map(({ id }) => id);
    },
    markFailed: (claim, error, retryInMs) => markOne(sql.markFailed, claim, [error, retryInMs]),
    markDead: (claim, because, error) => markOne(sql.markDead, claim, [because, error]),
    release: (claims) => markMany(sql.release, claims),
    ...deskOf(client, sql, retentionMs),
  };
}
