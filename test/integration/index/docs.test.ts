import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EXIT } from "../../../src/cli/exit-code.ts";
import { INDEX_DRIVERS, openIndex } from "../../../src/host/index-drivers.ts";
import { systemClock } from "../../../src/host/system-clock.ts";

const page = readFileSync(new URL("../../../docs/index-cutover.md", import.meta.url), "utf8");

describe("docs/index-cutover.md", () => {
  it("has a row for every driver, with what the driver says of itself, and none for another", () => {
    const rows = [...page.matchAll(/^\| \[`(\w+)`\]\((\S+)\) \| .* \| (.*) \| .* \| .* \|$/gm)];
    expect(rows.map(([, product]) => product)).toEqual(INDEX_DRIVERS.map(({ product }) => product));
    for (const [, product = "", readme = "", sets = ""] of rows) {
      const text = readFileSync(new URL(`../../../docs/${readme}`, import.meta.url), "utf8");
      expect(text).toMatch(new RegExp(`^# index/${product}$`, "m"));
      const scheme = { pgvector: "postgres", redis: "redis" }[product] ?? "http";
      const epochs = product === "typesense" ? "?epochs=redis://127.0.0.1:1" : ""; // Which it keeps elsewhere.
      const place = { driver: product, url: `${scheme}://127.0.0.1:1${epochs}`, secretFile: null };
      expect([product, openIndex(place, systemClock()).can.compareAndSet]).toEqual([product, sets === "yes"]);
    }
  });

  it("gives exit codes that there are", () => {
    const told = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    const codes: readonly number[] = Object.values(EXIT);
    expect(told).toEqual([0, 1, 2, 10, 11, 13, 124]);
    expect(told.filter((code) => !codes.includes(code))).toEqual([]);
  });
});
