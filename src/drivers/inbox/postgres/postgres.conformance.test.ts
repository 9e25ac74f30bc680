import type { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../fence/system.ts";
import { inboxConformance } from "../../../testing/inbox-suite.ts";
import { postgresWebhookInbox } from "./driver.ts";
import { blankDatabase } from "../../../../test/blank-database.ts";

describe("inbox/postgres on PGlite (a real server runs the same suite in test/integration)", () => {
  let database: PGlite;
  let worlds = 0;
  beforeAll(async () => {
    database = await blankDatabase();
  });
  afterAll(() => database.close());

  /** A table for each case: entries one case leaves queued would be handed out to the next. */
  const openWorld = async () => {
    const prefix = `w${++worlds}`;
    const open = () => postgresWebhookInbox({ client: database, table: `inbox_${prefix}` });
    await open().migrate();
    return { open, advance: (ms: number) => systemClock.sleep(ms), prefix, unitMs: 600 };
  };
  inboxConformance(openWorld, it);

  it("can be migrated twice, and says what is missing before", async () => {
    const inbox = postgresWebhookInbox({ client: database, table: "inbox_twice" });
    await expect(inbox.take(1, 1)).rejects.toMatchObject({ code: "rejected", message: /run migrate\(\) first/ });
    await inbox.migrate();
    await inbox.migrate();
    expect(await inbox.take(1, 1)).toEqual([]);
  });

  it("refuses a server that reports fsync=off unless it is opened relaxed, and a table name that needs quoting", async () => {
    await expect(postgresWebhookInbox({ client: database }).check()).rejects.toMatchObject({ code: "rejected" });
    const relaxed = await postgresWebhookInbox({ client: database, durability: "relaxed" }).check();
    expect(relaxed).toEqual({ kind: "relaxed", found: expect.stringContaining("fsync=off") });
    expect(() => postgresWebhookInbox({ client: database, table: "a; drop table b" })).toThrow(
      "not a plain table name",
    );
  });
});
