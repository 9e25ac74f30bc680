import type { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgresWebhookInbox } from "../../../src/drivers/inbox/postgres/index.ts";
import { systemClock } from "../../../src/fence/system.ts";
import { inboxConformance } from "../../../src/testing/inbox-suite.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../fence/servers.ts";

describe.skipIf(!hasPostgres())("inbox/postgres on a real server, durable, two pools", { timeout: 60_000 }, () => {
  let server: PostgresServer;
  let pools: readonly [Pool, Pool];
  let worlds = 0;
  beforeAll(async () => {
    server = await startPostgres();
    pools = [server.connect(), server.connect()];
  });
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await server.stop();
  });

  const openWorld = async () => {
    const prefix = `w${++worlds}`;
    let handles = 0;
    const open = () => postgresWebhookInbox({ client: pools[(handles++ % 2) as 0 | 1], table: `inbox_${prefix}` });
    await open().migrate();
    return { open, advance: (ms: number) => systemClock.sleep(ms), prefix, unitMs: 600 };
  };
  inboxConformance(openWorld, it);

  it("is durable by its own account", async () => {
    expect(await postgresWebhookInbox({ client: pools[0] }).check()).toMatchObject({ kind: "durable" });
  });

  it("can be migrated by six processes at once", async () => {
    const inboxes = Array.from({ length: 6 }, (_, index) =>
      postgresWebhookInbox({ client: pools[(index % 2) as 0 | 1], table: "inbox_migrated" }),
    );
    await Promise.all(inboxes.map((inbox) => inbox.migrate()));
    expect(await inboxes[0]?.take(1, 1)).toEqual([]);
  });
});
