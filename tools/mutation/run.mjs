// Breaks the code line by line and says which breaks no test noticed.
//   npm run mutate -- FILES…     mutants of these files, however long it takes
//   npm run mutate -- --changed  of the lines of src/core and src/fence that the last commits changed, newest first,
//                                for at most three minutes; says how many of how many were tried
// Exits 1 when fewer than MUTATION_BREAK percent (default 60) of the tried mutants were noticed. Fewer than ten say
// nothing about a score: they are listed and do not fail, but none where there were some to try does.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { mutateWithin, shown } from "./within.mjs";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));
const PURE = /^src\/(core|fence)\/(?!.*\.test\.ts$).*\.ts$/;
const COMMITS = 10;
/** Their tests run once before the first mutant, so more files are fewer answers. */
const FILES_MAX = 4;
const BUDGET_MS = 170_000;
const ENOUGH = 10;
const DAY_MS = 86_400_000;

const args = process.argv.slice(2);
const isChanged = args.includes("--changed");
const ranges = isChanged ? changedLines() : args;
if (ranges.length === 0) {
  console.log(isChanged ? "no line of src/core or src/fence changed lately" : "usage: npm run mutate -- FILES…");
  process.exit(isChanged ? 0 : 2);
}
const files = [...new Set(ranges.map((range) => range.replace(/:.*/, "")))];
console.log(`mutating ${files.join(", ")}`);
const { judged, planned, isLate, said } = await mutateWithin(
  {
    mutate: ranges,
    vitest: { configFile: "tools/mutation/vitest.config.ts", related: true },
    coverageAnalysis: "perTest",
    ignoreStatic: true,
    mutator: { excludedMutations: ["StringLiteral"] }, // Messages.
    concurrency: 2,
  },
  { MUTATION_TESTS: [...new Set(files.map((file) => `${dirname(file)}/*.test.ts`))].join(",") },
  isChanged ? BUDGET_MS : DAY_MS,
);
const survived = judged.filter(({ status }) => status === "Survived" || status === "NoCoverage");
for (const mutant of survived) console.log(shown(mutant));
const late = isLate ? `; time was up after ${BUDGET_MS / 1_000} s` : "";
const noticed = judged.length - survived.length;
console.log(`${judged.length} of ${planned} mutants tried, ${noticed} noticed, ${survived.length} survived${late}`);
if (judged.length === 0) {
  console.log(planned === 0 && !isLate ? "nothing there can be broken" : `none was tried:\n${said}`);
  process.exit(planned === 0 && !isLate ? 0 : 1);
}
const percent = (100 * noticed) / judged.length;
const least = Number(process.env.MUTATION_BREAK ?? 60);
if (judged.length < ENOUGH) console.log(`fewer than ${ENOUGH}: no score`);
else console.log(`score ${percent.toFixed(0)} %, at least ${least} % are asked for`);
process.exit(judged.length >= ENOUGH && percent < least ? 1 : 0);

/** Lines that the last commits added or changed, as Stryker's ranges; files of newer commits first. */
function changedLines() {
  const git = (...words) => execFileSync("git", words, { encoding: "utf8" });
  const newest = git("log", "-n", String(COMMITS), "--name-only", "--format=", "HEAD").split("\n");
  const chosen = [...new Set(newest)].filter((name) => PURE.test(name) && existsSync(name)).slice(0, FILES_MAX);
  const depth = Math.min(COMMITS, Number(git("rev-list", "--count", "HEAD")) - 1);
  if (depth === 0) return [];
  return chosen.flatMap((file) => {
    const hunks = git("diff", "-U0", `HEAD~${depth}`, "HEAD", "--", file).matchAll(/^@@ \S+ \+(\d+)(?:,(\d+))? @@/gm);
    return [...hunks].flatMap(([, from, count = "1"]) => {
      const last = Number(from) + Number(count) - 1;
      return last < Number(from) ? [] : [`${file}:${from}-${last}`];
    });
  });
}
