// Plants wrong behaviours one by one into a copy of the product in memory and plays seeds until a law is broken.
//   npm run sim:planted                        all of them, at most 2000 seeds each
//   npm run sim:planted -- --only silent-confirms
//   npm run sim:planted -- --write docs/simulation.md     and writes the table
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
for (const bug of PLANTED_BUGS.filter(({ name }) => values.only === undefined || values.only === name)) {
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
  const cells = rows.map(({ name, says, file, played, law }) => {
    return `| \`${name}\` | ${says} | \`${file}\` | ${law === null ? "not found" : played} | ${law ?? ""} |`;
  });
  const table = ["| planted | what goes wrong | in | seeds | law |", "| --- | --- | --- | --- | --- |", ...cells];
  const [before, rest] = page.split(begin);
  return `${before}${begin}\n\n${table.join("\n")}\n\n${end}${rest.split(end)[1]}`;
}
