import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ROOT } from "./source-files.ts";

const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { version: string };
const check = (tag: string) =>
  spawnSync(process.execPath, [`${ROOT}tools/check-release.mjs`, tag], { encoding: "utf8" });

describe("tools/check-release.mjs", () => {
  it("refuses a tag that is not the version, with what to do", () => {
    const refused = check("v999.0.0");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(`package.json says ${version}`);
  });

  it("refuses a version that the changelog does not name, and accepts one that it does", () => {
    const isNamed = readFileSync(`${ROOT}CHANGELOG.md`, "utf8").includes(`\n## ${version}\n`);
    const found = check(`v${version}`);
    expect([found.status, found.stderr.includes("CHANGELOG.md has no")]).toEqual(isNamed ? [0, false] : [1, true]);
  });
});
