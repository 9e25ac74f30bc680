import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { format } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const page = readFileSync(join(root, "docs", "fence", "schema-locks.md"), "utf8");
const folder = join(root, ".sluice", `schema-lock-docs-${process.pid}`);

/** Where the published names come from. */
const SOURCES: Readonly<Record<string, string>> = {
  "sluice/fence": "src/fence/index.ts",
  "sluice/edge": "src/edge/index.ts",
};

/** Each sample with the output printed under it. */
const samples = [...page.matchAll(/```ts run\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)].map((match, index) => ({
  name: `sample-${index}.ts`,
  code: match[1] as string,
  output: match[2] as string,
}));

describe("docs/fence/schema-locks.md", () => {
  beforeAll(() => {
    mkdirSync(folder, { recursive: true });
    for (const { name, code } of samples) {
      const local = code.replace(/from "(sluice\/\w+)"/g, (_, name: string) => `from "../../${SOURCES[name]}"`);
      writeFileSync(join(folder, name), `${local}\nexport {};\n`);
    }
    const compilerOptions = { noEmit: true, lib: ["ES2023", "DOM", "DOM.Iterable"], types: [], noUnusedLocals: false };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.base.json", compilerOptions, include: ["*.ts"] }),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("prints the output of every sample", () => {
    expect(samples).toHaveLength(page.match(/```ts/g)?.length ?? 0);
    expect(samples.length).toBeGreaterThanOrEqual(5);
  });

  it.each(samples)("$name runs and prints what the page says", async ({ name, output }) => {
    let printed = "";
    const log = vi.spyOn(console, "log").mockImplementation((...given: unknown[]) => {
      printed += `${format(...given)}\n`;
    });
    try {
      await import(pathToFileURL(join(folder, name)).href);
    } finally {
      log.mockRestore();
    }
    expect(printed).toBe(output);
  });

  it("has only samples that compile", { timeout: 60_000 }, () => {
    const tsc = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], {
      encoding: "utf8",
    });
    expect(tsc.stdout.split("\n").filter((line) => line.includes("schema-lock-docs"))).toEqual([]);
    expect(tsc.error).toBe(undefined);
  });
});
