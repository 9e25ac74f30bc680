import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { RESOURCE_NAMES } from "../../src/host/resource-registry.ts";
import { driversPage } from "./page.ts";
import type { Result } from "./recorded.ts";

const folder = new URL("results/", import.meta.url);
const results = readdirSync(folder).map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Result);

describe("the page of drivers", () => {
  it("has each driver that documents may name, once, and no other", () => {
    const named = Object.entries(RESOURCE_NAMES).flatMap(([port, names]) => names.map((name) => `${port} ${name}`));
    expect(results.map(({ port, product }) => `${port} ${product}`).sort()).toEqual(named.sort());
  });

  it("says of each how many laws of its port's suite it keeps, and that is all but the waived", () => {
    for (const port of ["index", "queue", "cache"] as const) {
      const laws = results.filter((one) => one.port === port).map((one) => [...one.passed, ...Object.keys(one.waived)]);
      expect(laws.length).toBeGreaterThan(0);
      for (const one of laws) expect(one.toSorted()).toEqual(laws[0]?.toSorted());
    }
  });

  it("is docs/drivers.md", async () => {
    await expect(driversPage(results)).toMatchFileSnapshot(
      fileURLToPath(new URL("../../docs/drivers.md", import.meta.url)),
    );
  });
});
