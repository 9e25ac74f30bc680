// Every story of the laboratory, really run, then the healthy one with five seeds. Plain JavaScript over the built
// command line, so that it shows what a user would see. Exits 1 when one story ends as it should not.
//   npm run scenarios                 all of it
//   npm run scenarios -- --some 1     so many of the canaries' stories that no test runs, in turn from day to day
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { SCENARIOS } from "../dist/cli/demo/scenario.js";

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const DAY_MS = 86_400_000;
/** What `sluice demo` tells without being asked, which the tests run; they run cutovers in turn as well. */
const USUAL = ["healthy", "dropped-sections"];

const [flag, count, ...rest] = process.argv.slice(2);
const isSome = flag === "--some";
const more = isSome ? rest : process.argv.slice(2);
const runs = isSome ? someOf(Number(count)) : all();
let failed = 0;
for (const run of runs) {
  console.error(`\nsluice demo ${run.join(" ")}`);
  const { status } = spawnSync(process.execPath, [main, "demo", ...run, ...more], { stdio: "inherit" });
  if (status !== 0) failed++;
}
console.error(
  failed === 0 ? "\nevery story ended as it should" : `\n${failed} of ${runs.length} runs did not end as they should`,
);
process.exit(failed === 0 && runs.length > 0 ? 0 : 1);

function all() {
  return [["--all"], ...[1, 2, 3, 4, 5].map((seed) => ["--scenario", "healthy", "--seed", String(seed)])];
}

function someOf(number) {
  const others = SCENARIOS.map(({ name }) => name).filter((name) => !USUAL.includes(name));
  const from = Math.floor(Date.now() / DAY_MS) * number;
  return Array.from({ length: number }, (_, at) => ["--scenario", others[(from + at) % others.length]]);
}
