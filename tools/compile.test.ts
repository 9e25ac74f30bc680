import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "./source-files.ts";

const bin = (name: string) => join(ROOT, "node_modules", ".bin", name);

/** Output of a tool when it complains, "" when it is content. */
function complaints(command: string, args: readonly string[]): string {
  const done = spawnSync(command, args, { cwd: ROOT, encoding: "utf8", timeout: 240_000 });
  return done.status === 0 ? "" : `${done.stdout}${done.stderr}${done.error?.message ?? ""}`;
}

describe("the compilers and linters", () => {
  it.each(["core", "edge", "node"])(
    "compile %s with only the names that layer may know",
    (layer) => {
      expect(complaints(bin("tsc"), ["-p", `tsconfig.${layer}.json`])).toBe("");
    },
    240_000,
  );

  it("would notice: a clock in core does not compile, because its compiler knows none", () => {
    const options = ["--noEmit", "--lib", "ES2023", "--types", "", "--strict", "--skipLibCheck", "--ignoreConfig"];
    const output = complaints(bin("tsc"), [...options, "test/fixtures/impure-core.ts"]);
    expect(output).toContain("setTimeout");
    expect(output).toContain("fetch");
  }, 240_000);

  it("find nothing to lint", () => {
    expect(complaints(bin("oxlint"), ["--deny-warnings", "src", "test", "tools"])).toBe("");
  }, 240_000);

  it("find nothing to format", () => {
    expect(complaints(bin("biome"), ["format", "."])).toBe("");
  }, 240_000);

  it("find no dead file, export or dependency", () => {
    expect(complaints(bin("knip"), ["--no-progress"])).toBe("");
  }, 240_000);
});
