import type pg from "pg";
import { epochMs } from "../../../src/core/unit.ts";
import { postgresFence } from "../../../src/drivers/fence/postgres/index.ts";
import { postgresWebhookInbox } from "../../../src/drivers/inbox/postgres/index.ts";
import { systemClock } from "../../../src/fence/system.ts";
import {
  type EventReading,
  type InboundEvent,
  receiveWebhook,
  TIMESTAMP_TOLERANCE_MS,
  webhookVerifier,
  type WebhookVerifier,
  workInbox,
} from "../../../src/fence/webhook/index.ts";
import type { Clock } from "../../../src/ports/clock.ts";

/** The body of every webhook here. */
export interface AccountChanged {
  readonly type: "account.changed";
  readonly account: string;
  readonly revision: number;
  /** When it was written, epoch ms. */
  readonly at: number;
}

/** An account's changes are one event in many revisions, so the inbox hands them out in order. */
function readChange(json: unknown): EventReading {
  const { type, account, revision } = (json ?? {}) as Partial<AccountChanged>;
  if (type !== "account.changed" || typeof account !== "string" || typeof revision !== "number") {
    return { kind: "invalid", detail: "Expected an account.changed with account and revision." };
  }
  return { kind: "event", eventId: account, revision };
}

/** A partner that verifies, keeps in PostgreSQL and works it off afterwards. */
export interface Receiver {
  readonly handle: (request: Request) => Promise<Response>;
  /** The same partner when 5 minutes and a second have passed. */
  readonly handleLate: (request: Request) => Promise<Response>;
  /** How often each kind of delivery was seen. */
  readonly seen: ReadonlyMap<InboundEvent["kind"], number>;
  /** Events in the order in which the inbox kept them, as `account/revision`. */
  kept(): Promise<readonly string[]>;
  /** What the work did, in the order in which it did it, as `account/revision`. */
  applied(): Promise<readonly string[]>;
  /** Entries of the inbox by state. */
  states(): Promise<Readonly<Record<string, number>>>;
  stop(): Promise<void>;
}

const lateClock: Clock = {
  ...systemClock,
  wallMs: () => epochMs(systemClock.wallMs() + TIMESTAMP_TOLERANCE_MS + 1_000),
};

/** Tables, handlers and one worker that runs until `stop`. */
export async function openReceiver(pool: pg.Pool, publicKey: string): Promise<Receiver> {
  const inbox = postgresWebhookInbox({ client: pool });
  const fence = { store: postgresFence({ client: pool }), storeTimeoutMs: 10_000 };
  await inbox.migrate();
  await pool.query(
    "create table applied (place bigint generated always as identity, account text not null, revision int not null)",
  );
  const verifier: WebhookVerifier = await webhookVerifier([publicKey]);
  const seen = new Map<InboundEvent["kind"], number>();
  const handlerAt = (clock: Clock) =>
    receiveWebhook({
      inbox,
      verifier,
      tenant: "partner",
      provider: "shop",
      endpoint: "/hooks",
      clock,
      inboxTimeoutMs: 10_000,
      read: (webhook) => readChange(webhook.json()),
      observe: ({ kind }) => seen.set(kind, (seen.get(kind) ?? 0) + 1),
    });
  const stop = new AbortController();
  const work = async (account: string, revision: number | null) => {
    await pool.query("insert into applied (account, revision) values ($1, $2)", [account, revision]);
  };
  const worked = (async () => {
    while (!stop.signal.aborted) {
      const options = { inbox, fence, isResumable: false, batch: 10 };
      const report = await workInbox(options, ({ eventId, revision }) => work(eventId, revision));
      if (report.done === 0) await systemClock.sleep(50, stop.signal);
    }
  })();
  const keysOf = async (text: string) => (await pool.query<{ key: string }>(text)).rows.map(({ key }) => key);
  return {
    handle: handlerAt(systemClock),
    handleLate: handlerAt(lateClock),
    seen,
    kept: () => keysOf("select event_id || '/' || revision as key from sluice_webhook_inbox order by seq"),
    applied: () => keysOf("select account || '/' || revision as key from applied order by place"),
    async states() {
      const text = "select state, count(*)::integer as count from sluice_webhook_inbox group by state";
      const { rows } = await pool.query<{ state: string; count: number }>(text);
      return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
    },
    async stop() {
      stop.abort();
      await worked;
    },
  };
}
