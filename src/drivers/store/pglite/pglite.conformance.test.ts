import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ControllerStore } from "../../../ports/controller-store.ts";
import { storeConformance } from "../../../testing/store-suite.ts";
import { openPgliteStore } from "./open.ts";

describe("store/pglite in a folder", () => {
  let folder: string;
  let store: ControllerStore;
  let worlds = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-pglite-"));
    store = await openPgliteStore(join(folder, "database"));
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  storeConformance(() => ({ open: () => Promise.resolve(store), prefix: `w${++worlds}` }), it);

  it("has everything again after a close and an open, and leaves no draft", async () => {
    const before = [await store.rollouts(), await store.published(), await store.journal("w5-journal")];
    expect(before[0]?.length).toBeGreaterThan(3);
    await store.close();
    store = await openPgliteStore(join(folder, "database"));
    expect([await store.rollouts(), await store.published(), await store.journal("w5-journal")]).toEqual(before);
    expect(await readdir(folder)).toEqual(["database"]);
  });

  it("says what is wrong and what to do when its folder cannot hold a database", async () => {
    const error = await openPgliteStore("/proc/nowhere/database").catch((cause: unknown) => cause);
    expect(error).toMatchObject({ name: "DriverError", code: "unreachable" });
    expect(String(error)).toMatch(/nothing of this change was stored/);
  });
});
