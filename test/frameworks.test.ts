import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const folder = fileURLToPath(new URL("frameworks/", import.meta.url));
const isInstalled = existsSync(`${folder}node_modules/express5`) && existsSync(`${folder}node_modules/next`);

if (!isInstalled) {
  const install = "npm ci --prefix test/frameworks --ignore-scripts";
  if (process.env["CI"] !== undefined) throw new Error(`the frameworks are not installed: run ${install}`);
  console.warn(`skipped: the fence on real frameworks; to run it: ${install}`);
}

describe.runIf(isInstalled)("the fence on real frameworks", async () => {
  if (!isInstalled) return;
  // Not resolved where the frameworks are not installed, and not compiled with the product.
  const at = (name: string) => /* @vite-ignore */ `./frameworks/${name}.ts`;
  const { FRAMEWORKS } = await import(at("columns"));
  const { column } = await import(at("suite"));
  const { WAIVERS } = await import(at("waivers"));
  const { page } = await import(at("table"));
  const columns: { framework: { name: string }; cells: Map<string, { kind: string; found?: string }> }[] = [];

  for (const framework of FRAMEWORKS as readonly { name: string }[]) {
    it(`${framework.name}: the first client gets what it would have got, and that is stored and replayed`, async () => {
      const cells: Map<string, { kind: string; found?: string }> = await column(framework);
      columns.push({ framework, cells });
      const waived: Record<string, string> = WAIVERS[framework.name] ?? {};
      const faults = [...cells].filter(([row, cell]) => cell.kind === "failed" && waived[row] === undefined);
      expect(faults.map(([row, { found }]) => `${row}: ${found}`)).toEqual([]);
      const stale = Object.keys(waived).filter((row) => cells.get(row)?.kind !== "failed");
      expect(stale, "waivers that are no longer needed").toEqual([]);
      expect(cells.size).toBeGreaterThan(0);
    }, 240_000);
  }

  it("docs/fence/frameworks.md is the table of what just ran", async () => {
    expect(columns.length).toBe(FRAMEWORKS.length);
    await expect(page(columns)).toMatchFileSnapshot("../docs/fence/frameworks.md");
  });
});
