// Every story of the laboratory, really run, then the healthy one with five seeds. Plain JavaScript over the built
// command line, so that it shows what a user would see. Exits 1 when one story ends as it should not.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const runs = [["--all"], ...[1, 2, 3, 4, 5].map((seed) => ["--scenario", "healthy", "--seed", String(seed)])];

let failed = 0;
for (const run of runs) {
  console.error(`\nsluice demo ${run.join(" ")}`);
  const { status } = spawnSync(process.execPath, [main, "demo", ...run, ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  if (status !== 0) failed++;
}
console.error(
  failed === 0 ? "\nevery story ended as it should" : `\n${failed} of ${runs.length} runs did not end as they should`,
);
process.exit(failed === 0 ? 0 : 1);
