import type { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fenceConformance, type FenceWorld } from "../../../testing/fence-suite.ts";
import { systemClock } from "../../../fence/system.ts";
import { postgresFence } from "./driver.ts";
import { blankDatabase } from "../../../../test/blank-database.ts";

describe("fence/postgres on PGlite (a real server runs the same suite in test/integration)", () => {
  let database: PGlite;
  let worlds = 0;
  beforeAll(async () => {
    database = await blankDatabase();
    await postgresFence({ client: database }).migrate();
    await postgresFence({ client: database }).migrate();
  });
  afterAll(() => database.close());

  function world(): FenceWorld {
    const open = () => postgresFence({ client: database, durability: "relaxed" });
    return { open, advance: (ms) => systemClock.sleep(ms), prefix: `w${++worlds}`, leaseMs: 400 };
  }
  fenceConformance(world, it);

  it("refuses a server that reports fsync=off unless it is opened relaxed", async () => {
    await expect(postgresFence({ client: database }).check()).rejects.toMatchObject({
      code: "rejected",
      retry: "never",
    });
    const relaxed = await postgresFence({ client: database, durability: "relaxed" }).check();
    expect(relaxed).toEqual({ kind: "relaxed", found: expect.stringContaining("fsync=off") });
  });
});
