import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const docs = join(root, "docs", "fence");

/** The TypeScript blocks of a page, in order. */
const blocksOf = (page: string) =>
  [...readFileSync(join(docs, page), "utf8").matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);

const options = {
  extends: "../../tsconfig.base.json",
  compilerOptions: {
    noEmit: true,
    lib: ["ES2023", "DOM", "DOM.Iterable"],
    types: [],
    noUnusedLocals: false,
    paths: { "sluice/fence": ["../../src/fence/index.ts"], "sluice/drivers/*": ["../../src/drivers/*/index.ts"] },
  },
  include: ["*.ts"],
};

/** Not dependencies of the product: their values are `any`, our own types are checked in full. */
const ambient =
  'declare module "express" { const express: any; export default express; }\ndeclare module "fastify" { const fastify: any; export default fastify; }\n';

describe("docs/fence", () => {
  it("has only samples that compile against the published names", { timeout: 300_000 }, () => {
    const pages = readdirSync(docs).filter((name) => name.endsWith(".md"));
    const samples = pages.flatMap((page) =>
      blocksOf(page).map((text, index) => ({ name: `${page.replace(".md", "")}-${index}.ts`, text })),
    );
    expect(samples.length).toBeGreaterThanOrEqual(10);
    const folder = join(root, ".sluice", `fence-docs-${process.pid}`);
    mkdirSync(folder, { recursive: true });
    try {
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(options));
      writeFileSync(join(folder, "ambient.d.ts"), ambient);
      for (const { name, text } of samples) writeFileSync(join(folder, name), `${text}\nexport {};\n`);
      const tsc = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], {
        encoding: "utf8",
      });
      const own = tsc.stdout.split("\n").filter((line) => line.includes(`fence-docs-${process.pid}`));
      expect(own).toEqual([]);
      expect(tsc.error).toBe(undefined);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("links only to pages that exist", () => {
    for (const page of readdirSync(docs)) {
      const links = [...readFileSync(join(docs, page), "utf8").matchAll(/\]\(([a-z-]+\.md)/gi)].map(
        (match) => match[1],
      );
      for (const link of links) expect(readdirSync(docs), `${page} links to ${link}`).toContain(link);
    }
  });
});
