import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closureOf, webEntries } from "./closure.ts";
import { ROOT } from "./source-files.ts";

/** Largest minified bundle of an entry, in bytes. Raise one on purpose, in the commit that needs it. */
const BUDGET: Readonly<Record<string, number>> = {
  "src/core/index.ts": 154_000, // With segments, few users, shares chosen by evidence, what answers cost, copies, reasons in whole sentences, and what listeners are told.
  "src/edge/index.ts": 39_000, // With the visitors' cookie, the word to the gateway behind, signatures, changes of keys and regions.
  "src/fence/index.ts": 78_000,
  "src/ports/index.ts": 4_000,
};
const DRIVER_BUDGET = 40_000;

/**
 * Special functions and CEL are not our own code; core may use them, what runs at the edge may not (performance.md).
 */
const isAllowedOutside = (entry: string, found: string) =>
  // A driver may use packages that run anywhere; what it may not reach is Node.js.
  (entry.startsWith("src/drivers/") && !found.startsWith("node:")) ||
  (entry === "src/core/index.ts" &&
    (/^@stdlib\/\S+ ← src\/core\/stats\/special\.ts$/.test(found) ||
      found === "@marcbachmann/cel-js ← src/core/judge/custom/expression.ts"));

describe("the closure of every web entry", () => {
  it("includes the edge library and the drivers that say they run anywhere", () => {
    expect(webEntries()).toContain("src/edge/index.ts");
    expect(webEntries()).toContain("src/drivers/fence/redis/index.ts");
  });

  it.each(webEntries())(
    "%s reaches no node: module, no package that is not named here, and keeps its size budget",
    async (entry) => {
      const closure = await closureOf(`${ROOT}${entry}`);
      expect(closure.outside.filter((found) => !isAllowedOutside(entry, found))).toEqual([]);
      expect(closure.modules).toContain(entry);
      expect(closure.modules.filter((path) => !path.startsWith("src/"))).toEqual([]);
      expect(closure.bytes).toBeGreaterThan(0);
      expect(closure.bytes, `minified bytes of ${entry}`).toBeLessThanOrEqual(BUDGET[entry] ?? DRIVER_BUDGET);
    },
  );

  it("of the edge library stays inside edge, plane, assign and routing: no statistics, no telemetry", async () => {
    const { modules } = await closureOf(`${ROOT}src/edge/index.ts`);
    const beyond = modules.filter(
      (path) => !/^src\/(edge\/|plane\/|core\/(assign|routing)\/|core\/[a-z-]+\.ts$)/.test(path),
    );
    expect(beyond).toEqual([]);
  });
});

describe("closureOf", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "closure-"));
    writeFileSync(join(folder, "entry.ts"), `export { a } from "./middle.ts";\n`);
    writeFileSync(join(folder, "middle.ts"), `import { unused } from "./far.ts";\nexport const a = 1;\n`);
    writeFileSync(
      join(folder, "far.ts"),
      `import fs from "node:fs";\nimport zod from "zod";\nexport const unused = [fs, zod];\n`,
    );
    writeFileSync(join(folder, "lazy.ts"), `export const load = () => import("node:crypto");\n`);
    writeFileSync(join(folder, "plain.ts"), `export const load = () => 1;\n`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("(checker) sees node: and packages behind two files, though their exports are unused", async () => {
    const { outside } = await closureOf(join(folder, "entry.ts"));
    expect(outside.map((found) => found.split(" ← ")[0])).toEqual(["node:fs", "zod"]);
  });

  it("(checker) sees a lazy import, and nothing where there is nothing", async () => {
    expect((await closureOf(join(folder, "lazy.ts"))).outside).toHaveLength(1);
    expect((await closureOf(join(folder, "plain.ts"))).outside).toEqual([]);
  });
});
