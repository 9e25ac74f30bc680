import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../fence/system.ts";
import { outboxConformance } from "../../../testing/outbox-suite.ts";
import { postgresInbox, postgresOutbox } from "./index.ts";

describe("outbox/postgres on PGlite (a real server runs the same suite in test/integration)", () => {
  let database: PGlite;
  let worlds = 0;
  beforeAll(async () => {
    database = await PGlite.create();
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
