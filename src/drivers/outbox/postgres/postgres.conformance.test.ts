import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../fence/system.ts";
import { outboxConformance } from "../../../testing/outbox-suite.ts";
import { postgresInbox, postgresOutbox } from "./index.ts";
import { blankDatabase } from "../../../../test/blank-database.ts";

describe("outbox/postgres on PGlite (a real server runs the same suite in test/integration)", () => {
  let database: PGlite;
  let worlds = 0;
  beforeAll(async () => {
    database = await blankDatabase();
  });
  afterAll(() => database.close());

  outboxConformance(async () => {
    const [leaseMs, retentionMs, name] = [400, 1_200, ++worlds];
    const config = { client: database, retentionMs };
    const open = () => postgresOutbox({ ...config, table: `outbox_${name}` });
    const inbox = postgresInbox({ ...config, table: `inbox_${name}` });
    for (const store of [open(), open(), inbox, inbox]) await store.migrate();
    const advance = (ms: number) => systemClock.sleep(ms);
    const transact = <R>(work: (transaction: Pick<PGlite, "query">) => Promise<R>) => database.transaction(work);
    return { open, inbox, transact, advance, wallMs: systemClock.wallMs, leaseMs, retentionMs };
  }, it);

  it("QJ-13: queued rows are there after the database was closed and opened again, and all of them can be seen", {
    timeout: 120_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-outbox-"));
    const opened = (client: PGlite) => ({ client, outbox: postgresOutbox({ client, table: "durable" }) });
    const first = opened(await blankDatabase({ dataDir: folder }));
    await first.outbox.migrate();
    const rows = ["a", "b", "c"].map((effectKey) => ({ effectKey, topic: "order", payload: effectKey }));
    await first.client.transaction((transaction) => first.outbox.add(transaction, rows));
    await first.client.close();
    const { client, outbox } = opened(await PGlite.create(folder));
    expect(await outbox.counts()).toMatchObject({ waiting: 3, dead: 0, oldestUnsentMs: expect.any(Number) });
    const order = { owner: "relay", epoch: 0, leaseMs: 60_000, limit: 1, afterDead: "skip" } as const;
    const batch = await outbox.claimBatch(order);
    const [row] = batch.kind === "claimed" ? batch.rows : [];
    if (row === undefined) throw new Error("a row is due");
    await outbox.markDead({ owner: "relay", id: row.id, token: row.token }, "refused", "410 Gone");
    expect(await outbox.counts()).toMatchObject({ waiting: 2, dead: 1 });
    expect(await outbox.deadLetters(9)).toMatchObject([{ effectKey: "a", because: "refused", error: "410 Gone" }]);
    await client.close();
    await rm(folder, { recursive: true });
  });

  it("refuses to add or claim outside a transaction, and writes nothing", async () => {
    const outbox = postgresOutbox({ client: database, table: "outside" });
    const inbox = postgresInbox({ client: database, table: "outside_inbox" });
    await outbox.migrate();
    await inbox.migrate();
    const refusal = { code: "rejected", retry: "never", message: expect.stringContaining("no open transaction") };
    const row = { effectKey: "k", topic: "t", payload: "p" };
    await expect(outbox.add(database, [row])).rejects.toMatchObject(refusal);
    await expect(inbox.claim(database, { consumer: "c", key: "k" })).rejects.toMatchObject(refusal);
    expect(await outbox.counts()).toMatchObject({ waiting: 0 });
  });

  it("says which call is missing when the tables are, and refuses a table name that needs quoting", async () => {
    await expect(postgresOutbox({ client: database, table: "nowhere" }).counts()).rejects.toMatchObject({
      code: "rejected",
      message: expect.stringContaining("run migrate() first"),
    });
    expect(() => postgresOutbox({ client: database, table: 'x"; drop table y' })).toThrow("not a plain table name");
  });
});
