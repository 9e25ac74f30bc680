// Plants wrong behaviours one by one into a copy of the product in memory and plays seeds until a law is broken.
//   npm run sim:planted                        all of them, at most 2000 seeds each
//   npm run sim:planted -- --only silent-confirms,no-lease
//   npm run sim:planted -- --write docs/simulation.md     and writes the table; rows of others that it has are kept
// Exits 1 when one of them was not noticed.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundleSimulation } from "./sim-bundle.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const { values } = parseArgs({
  options: { only: { type: "string" }, seeds: { type: "string", default: "2000" }, write: { type: "string" } },
});
const { PLANTED_BUGS } = await import(await bundleSimulation());
const rows = [];
const chosen = values.only?.split(",") ?? PLANTED_BUGS.map(({ name }) => name);
for (const bug of PLANTED_BUGS.filter(({ name }) => chosen.includes(name))) {
  const { playSeeds } = await import(await bundleSimulation(bug));
  let played = 0;
  const failed = await playSeeds(1, Number(values.seeds), () => played++);
  const found = failed === null ? `not in ${played} seeds` : `seed ${played}`;
  console.log(`${bug.name}: ${found}${failed === null ? "" : `, ${failed.violation.law}: ${failed.violation.text}`}`);
  rows.push({ ...bug, played, law: failed?.violation.law ?? null });
}
if (values.write !== undefined) writeFileSync(values.write, withTable(readFileSync(values.write, "utf8")));
const missed = rows.filter(({ law }) => law === null);
console.log(`${rows.length} planted, ${rows.length - missed.length} noticed`);
process.exit(missed.length === 0 ? 0 : 1);

function withTable(page) {
  const [begin, end] = ["<!-- planted: written by npm run sim:planted -->", "<!-- planted: end -->"];
  const [before, rest] = page.split(begin);
  const [written, after] = rest.split(end);
  const known = new Map(written.split("\n").map((line) => [/^\| `(.+?)`/.exec(line)?.[1], line]));
  for (const { name, says, file, played, law } of rows)
    known.set(name, `| \`${name}\` | ${says} | \`${file}\` | ${law === null ? "not found" : played} | ${law ?? ""} |`);
  const lines = PLANTED_BUGS.flatMap(({ name }) => known.get(name) ?? []);
  const table = ["| planted | what goes wrong | in | seeds | law |", "| --- | --- | --- | --- | --- |", ...lines];
  return `${before}${begin}\n\n${table.join("\n")}\n\n${end}${after}`;
}
