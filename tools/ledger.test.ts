import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ledgerMarkdown, proofs, requirements } from "./ledger.ts";
import { ROOT } from "./source-files.ts";

const PAGE = join(ROOT, "docs/ledger.md");

describe("the ledger of requirements", () => {
  it("is what the tests claim (UPDATE_LEDGER=1 writes it)", () => {
    if (process.env["UPDATE_LEDGER"] === "1") writeFileSync(PAGE, ledgerMarkdown());
    expect(readFileSync(PAGE, "utf8")).toBe(ledgerMarkdown());
  });

  it("knows every ID that a test carries", () => {
    const known = requirements();
    expect(proofs().filter(({ id }) => known[id] === undefined)).toEqual([]);
  });

  it("finds no ID on the numbers of a preset", () => {
    expect(proofs().filter(({ path }) => path.startsWith("src/spec/preset/"))).toEqual([]);
  });
});
