import type pg from "pg";
import type { ServingArm } from "../../../src/core/arm.ts";
import type { RandomStream } from "../../../src/core/stats/random.ts";
import { postgresFence } from "../../../src/drivers/fence/postgres/index.ts";
import { postgresOutbox } from "../../../src/drivers/outbox/postgres/index.ts";
import { effectKey } from "../../../src/fence/effect-key.ts";
import { recipientsOf } from "../../../src/fence/webhook/sink.ts";
import type { OutboxCounts } from "../../../src/ports/outbox-store.ts";
import { transactOn } from "../outbox/transact.ts";
import type { AccountChanged } from "./receiver.ts";
import { ARM_HEADER, COPIES_TABLE, type openEndpoints } from "./relay-config.ts";

/** One change that was committed, and the event that went with it. */
export interface PlacedEvent {
  readonly webhookId: string;
  readonly account: string;
  readonly revision: number;
  readonly arm: ServingArm;
  readonly isCopied: boolean;
}

/** A service with a business table and an outbox, and a second outbox for the sink's copies. */
export interface Shop {
  readonly placed: readonly PlacedEvent[];
  /** Transactions that wrote change, event and copy, and rolled back. */
  rollbacks(): number;
  /**
   * Commits so many changes one after the other, a few rolled back ones between them, with the candidate at this share.
   */
  change(count: number, candidateBp: number): Promise<void>;
  /** Rows of the business table, as `account/revision`. */
  changes(): Promise<readonly string[]>;
  counts(): Promise<{ readonly posts: OutboxCounts; readonly copies: OutboxCounts }>;
  /** The rows that have not left, for a message. */
  left(): Promise<string>;
  /** What the outbox says to somebody who claims under an older epoch. */
  claimUnder(epoch: number): Promise<string>;
}

interface ShopOptions {
  readonly pool: pg.Pool;
  readonly endpoints: Awaited<ReturnType<typeof openEndpoints>>;
  readonly random: RandomStream;
  readonly accounts: number;
}

/** Share of the transactions that roll back after they have written everything. */
const ROLLBACK_SHARE = 0.08;

class RolledBack extends Error {}

/** Creates every table that the shop and its relays use. */
export async function openShop({ pool, endpoints, random, accounts }: ShopOptions): Promise<Shop> {
  const outbox = postgresOutbox({ client: pool });
  const copies = postgresOutbox({ client: pool, table: COPIES_TABLE });
  for (const store of [outbox, copies, postgresFence({ client: pool })]) await store.migrate();
  await pool.query("create table change (account text, revision int, primary key (account, revision))");
  const transact = transactOn(pool);
  const placed: PlacedEvent[] = [];
  const revisions = new Map<string, number>();
  let rollbacks = 0;

  async function changeOne(account: string, candidateBp: number, isGood: boolean): Promise<void> {
    const revision = (revisions.get(account) ?? 0) + 1;
    const arm: ServingArm = random() * 10_000 < candidateBp ? "candidate" : "stable";
    const source = { tenant: "shop", sourceType: "account", sourceId: account, revision: `${revision}` };
    const key = await effectKey({ ...source, action: isGood ? "tell" : "tell nobody" });
    const isCopied = recipientsOf(arm, endpoints.partner, endpoints.policyAt(candidateBp)).length > 1;
    const event: AccountChanged = { type: "account.changed", account, revision, at: Date.now() };
    const row = { effectKey: key, topic: "account", payload: JSON.stringify(event), headers: { [ARM_HEADER]: arm } };
    await transact(async (client) => {
      await client.query("insert into change values ($1, $2)", [account, revision]);
      await outbox.add(client, [{ ...row, orderKey: account }]);
      if (isCopied) await copies.add(client, [row]);
      if (!isGood) throw new RolledBack("told nobody");
    });
    revisions.set(account, revision);
    placed.push({ webhookId: key, account, revision, arm, isCopied });
  }

  async function change(count: number, candidateBp: number): Promise<void> {
    for (let done = 0; done < count; ) {
      const account = `account-${Math.floor(random() * accounts)}`;
      const isGood = random() >= ROLLBACK_SHARE;
      await changeOne(account, candidateBp, isGood).catch((error: unknown) => {
        if (!(error instanceof RolledBack)) throw error;
        rollbacks++;
      });
      if (isGood) done++;
    }
  }

  return {
    placed,
    rollbacks: () => rollbacks,
    change,
    async changes() {
      const { rows } = await pool.query<{ key: string }>("select account || '/' || revision as key from change");
      return rows.map(({ key }) => key);
    },
    counts: async () => ({ posts: await outbox.counts(), copies: await copies.counts() }),
    async left() {
      const columns = "state, tries, parked, doubtful, error, (due_at - clock_timestamp())::text as due_in";
      const from = (table: string) => `select '${table}' as store, ${columns} from ${table} where state <> 'sent'`;
      const { rows } = await pool.query(`${from("sluice_outbox")} union all ${from(COPIES_TABLE)} limit 9`);
      return JSON.stringify(rows);
    },
    async claimUnder(epoch) {
      const claim = { owner: "blue", epoch, leaseMs: 1_000, limit: 1, afterDead: "skip" } as const;
      return (await postgresOutbox({ client: pool }).claimBatch(claim)).kind;
    },
  };
}
