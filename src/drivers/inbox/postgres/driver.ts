import type { EpochMs } from "../../../core/unit.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { FenceDurability } from "../../../ports/fence-store.ts";
import type { AcceptAnswer, InboxEntry, InboxOrder, InboxState, WebhookInbox } from "../../../ports/webhook-inbox.ts";
import { type PostgresClient, queryRows } from "./client.ts";
import { statementsFor } from "./statements.ts";

export interface PostgresWebhookInboxConfig {
  readonly client: PostgresClient;
  /** Plain lower-case name, optionally with a schema. Default `sluice_webhook_inbox`. */
  readonly table?: string;
  /**
   * `required` (default): `check` refuses a server that acknowledges before it has written. `relaxed`: a crash of the
   * server may forget webhooks their senders will not send again; also what PGlite needs, which reports fsync=off.
   */
  readonly durability?: "required" | "relaxed";
}

export interface PostgresWebhookInbox extends WebhookInbox {
  /** Creates tables, sequence and indexes where they are missing. Idempotent; run it at deployment, not per process. */
  migrate(): Promise<void>;
}

interface InboxRow {
  readonly dedupe_key: string;
  /** `pg` gives bigint as text. */
  readonly seq: string | number;
  readonly tenant: string;
  readonly provider: string;
  readonly endpoint: string;
  readonly event_id: string;
  readonly action: string;
  readonly revision: string | number | null;
  readonly digest: string;
  readonly body: Uint8Array;
  readonly headers: string;
  readonly received_at_ms: number;
  readonly state: InboxState;
  readonly deliveries: number;
  readonly conflicts: number;
  readonly takes: number;
  readonly reason: string | null;
}

function entryOf(row: InboxRow): InboxEntry {
  const { tenant, provider, endpoint, action, digest, state, deliveries, conflicts, takes, reason } = row;
  return {
    dedupeKey: row.dedupe_key,
    tenant,
    provider,
    endpoint,
    eventId: row.event_id,
    action,
    revision: row.revision === null ? null : Number(row.revision),
    digest,
    body: new Uint8Array(row.body),
    headers: JSON.parse(row.headers) as Readonly<Record<string, string>>,
    receivedAt: row.received_at_ms as EpochMs,
    state,
    deliveries,
    conflicts,
    takes,
    reason,
  };
}

interface AcceptRow {
  readonly state: InboxState;
  readonly is_same: boolean;
  readonly is_new: boolean;
  readonly is_over: boolean;
}

function valuesOf(order: InboxOrder): unknown[] {
  const { dedupeKey, tenant, provider, endpoint, eventId, action, revision, digest, body, headers } = order;
  const stream = JSON.stringify([tenant, provider, endpoint, eventId, action]);
  const names = [dedupeKey, stream, tenant, provider, endpoint, eventId, action];
  return [...names, revision, digest, body, JSON.stringify(headers), order.receivedAt, order.retainMs];
}

/** Rounds in which the key's window can be found over; each means that it was forgotten and used again meanwhile. */
const ACCEPT_ROUNDS_MAX = 8;

async function accept(
  client: PostgresClient,
  sql: ReturnType<typeof statementsFor>,
  order: InboxOrder,
): Promise<AcceptAnswer> {
  for (let round = 0; round < ACCEPT_ROUNDS_MAX; round++) {
    const [row] = await queryRows<AcceptRow>(client, sql.accept, valuesOf(order));
    if (row?.is_new) return { kind: row.state === "superseded" ? "superseded" : "accepted" };
    if (row !== undefined && !row.is_over) return { kind: row.is_same ? "duplicate" : "conflict" };
    await queryRows(client, sql.forget, [order.dedupeKey]);
  }
  throw new DriverError("unreachable", "safe", `inbox/postgres: a key moved ${ACCEPT_ROUNDS_MAX} times; try again`);
}

async function checkDurability(client: PostgresClient, isRelaxed: boolean): Promise<FenceDurability> {
  const text = "select current_setting('synchronous_commit') as synchronous_commit, current_setting('fsync') as fsync";
  const [row] = await queryRows<{ synchronous_commit: string; fsync: string }>(client, text, []);
  const found = `synchronous_commit=${row?.synchronous_commit} fsync=${row?.fsync}`;
  const isDurable = row?.fsync === "on" && row.synchronous_commit !== "off";
  if (isDurable || isRelaxed) return { kind: isDurable ? "durable" : "relaxed", found };
  const advice = "turn both on, or open the inbox with durability: relaxed and accept lost webhooks after a crash";
  throw new DriverError("rejected", "never", `inbox/postgres: needs a durable server, found ${found}; ${advice}`);
}

const bySeq = (a: InboxRow, b: InboxRow) => Number(a.seq) - Number(b.seq);

/**
 * An inbox in PostgreSQL 13 or newer, or in PGlite. Every call is one statement, so any pool and PgBouncer mode will
 * do.
 */
export function postgresWebhookInbox(config: PostgresWebhookInboxConfig): PostgresWebhookInbox {
  const { client } = config;
  const sql = statementsFor(config.table ?? "sluice_webhook_inbox");
  const didChange = async (text: string, values: unknown[]) => (await queryRows(client, text, values)).length === 1;
  return {
    name: "postgres",
    async migrate() {
      for (const text of sql.migrate) await queryRows(client, text, []);
    },
    check: () => checkDurability(client, config.durability === "relaxed"),
    accept: (order) => accept(client, sql, order),
    async take(limit, leaseMs) {
      const rows = await queryRows<InboxRow>(client, sql.take, [limit, leaseMs]);
      return [...rows].sort(bySeq).map(entryOf);
    },
    settle({ dedupeKey, takes }, result) {
      const [delayMs, reason] = [
        result.kind === "again" ? result.delayMs : 0,
        result.kind === "done" ? null : result.reason,
      ];
      return didChange(sql.settle, [dedupeKey, takes, result.kind, delayMs, reason]);
    },
    async read(dedupeKey) {
      const [row] = await queryRows<InboxRow>(client, sql.read, [dedupeKey]);
      return row === undefined ? null : entryOf(row);
    },
    listDead: async (limit) => (await queryRows<InboxRow>(client, sql.listDead, [limit])).map(entryOf),
    revive: (dedupeKey) => didChange(sql.revive, [dedupeKey]),
    async sweep(limit) {
      await queryRows(client, sql.sweepNewest, [limit]);
      return (await queryRows(client, sql.sweep, [limit])).length;
    },
  };
}
