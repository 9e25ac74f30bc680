import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "./source-files.ts";

const PAGE = readFileSync(join(ROOT, "docs/handbook/controller/guarantees.md"), "utf8");
const rows = PAGE.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| guaranteed"));

/** Where a row says it is shown, and by which words of a test's title. */
function shownBy(row: string): { readonly path: string; readonly title: string } | null {
  const [, path, title] = /`([^`]+)`, "([^"]+)" \|$/.exec(row) ?? [];
  return path === undefined || title === undefined ? null : { path, title };
}

describe("the page of guarantees", () => {
  it("says of each guarantee what it assumes, within which time, and which test shows it", () => {
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      expect(row.split(" | "), row).toHaveLength(4);
      expect(shownBy(row), row).not.toBeNull();
    }
  });

  it.each(rows.map((row) => shownBy(row)).filter((shown) => shown !== null))(
    "names a test that is there: $title",
    ({ path, title }) => {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
      expect(readFileSync(join(ROOT, path), "utf8")).toContain(title);
    },
  );
});
