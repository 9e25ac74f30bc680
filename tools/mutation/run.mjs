// Breaks the code line by line and says which breaks no test noticed.
//   npm run mutate -- FILES…     mutants of these files
//   npm run mutate -- --changed  of the pure files that the last commits changed, for at most three minutes
// Exits 1 when fewer than MUTATION_BREAK percent (default 60) of the mutants were noticed.
import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Stryker } from "@stryker-mutator/core";

const root = fileURLToPath(new URL("../..", import.meta.url));
process.chdir(root);
const PURE = /^src\/(core|fence)\/(?!.*\.test\.ts$).*\.ts$/;
const COMMITS = 10;
const FILES_MAX = 3;

const args = process.argv.slice(2);
const files = args.includes("--changed") ? changedFiles() : args;
if (files.length === 0) {
  console.log(
    args.includes("--changed") ? "no pure file changed lately: nothing to mutate" : "usage: npm run mutate -- FILES…",
  );
  process.exit(args.includes("--changed") ? 0 : 2);
}
console.log(`mutating ${files.join(", ")}`);
process.env.MUTATION_TESTS = [...new Set(files.map((file) => `${dirname(file)}/*.test.ts`))].join(",");
const stryker = new Stryker({
  mutate: files,
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "tools/mutation/vitest.config.ts", related: true },
  coverageAnalysis: "perTest",
  ignoreStatic: true,
  concurrency: 2,
  reporters: ["clear-text"],
  clearTextReporter: { logTests: false, reportTests: false, skipFull: true },
  tempDirName: ".mutants",
  thresholds: { high: 90, low: 80, break: Number(process.env.MUTATION_BREAK ?? 60) },
  allowConsoleColors: false,
});
const mutants = await stryker.runMutationTest();
const judged = mutants.filter(({ status }) => status !== "Ignored" && status !== "CompileError");
const survived = judged.filter(({ status }) => status === "Survived" || status === "NoCoverage");
console.log(`${judged.length} mutants, ${judged.length - survived.length} noticed, ${survived.length} survived`);

/** The smallest files first: three minutes are for several answers, not for half of one. */
function changedFiles() {
  const names = execFileSync("git", ["diff", "--name-only", "--diff-filter=AM", `HEAD~${COMMITS}`, "HEAD"], {
    encoding: "utf8",
  });
  return names
    .split("\n")
    .filter((name) => PURE.test(name))
    .slice(0, FILES_MAX);
}
