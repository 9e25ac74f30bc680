// Breaks the lines that implement requirements and says which breaks the tests that carry the ID did not notice.
//   npm run mutate:ids -- --seed 12 --count 30     draws so many of the IDs proven through the product
//   npm run mutate:ids -- RT-8 GQ-29               these
//   … --lines 12 --budget 180                      at most so many lines of an ID, drawn by the seed; seconds for each
//   … --write docs/mutation.md                     and writes the table; rows of other IDs that it has are kept
// The lines come from regions.mjs. Only tests whose full name has the ID run, so what kills a mutant is a proof of that
// ID. Texts are left out (StringLiteral): a message in other words breaks no requirement. A survivor that changes
// nothing anybody can see is listed in equivalent.json with the reason. A mutant with which a file of those tests
// cannot even be loaded is killed, and counted apart. Exits 1 when another one is left.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { AT_LOAD } from "./load-runner.mjs";
import { linesOf } from "./regions.mjs";
import { mutateWithin, shown } from "./within.mjs";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "30" },
    lines: { type: "string", default: "12" },
    budget: { type: "string", default: "180" },
    concurrency: { type: "string", default: "1" },
    list: { type: "boolean", default: false },
    write: { type: "string" },
  },
});
const BUILD = `ln -sfn ${process.cwd()}/node_modules node_modules && node tools/build.mjs`;
const proven = provenIds();
const ids = positionals.length > 0 ? positionals : draw([...proven.keys()], Number(values.count), Number(values.seed));
const unmapped = ids.filter((id) => linesOf(id).length === 0);
if (unmapped.length > 0) {
  console.error(`no lines are known of ${unmapped.join(", ")}: name the ID in a comment, or in regions.json`);
  process.exit(2);
}
if (values.list) {
  for (const id of ids)
    console.log(
      id,
      chosenLines(id)
        .map(({ file, line }) => `${file}:${line}`)
        .join(" "),
    );
  process.exit(0);
}
const equivalent = JSON.parse(readFileSync("tools/mutation/equivalent.json", "utf8"));
const rows = [];
for (const id of ids) {
  rows.push(await tryId(id));
  if (values.write !== undefined) writeFileSync(values.write, page(rows));
}
const left = rows.filter(({ survivors, tried }) => survivors.length > 0 || tried === 0);
console.log(`${rows.length} IDs, ${rows.length - left.length} with every tried mutant killed or equivalent`);
process.exit(left.length === 0 ? 0 : 1);

/** Lines that were drawn may hold nothing that can be broken; then all of the ID's are taken. */
async function tryId(id) {
  const drawn = await tryLines(id, chosenLines(id));
  return drawn.planned > 0 || drawn.isLate ? drawn : tryLines(id, linesOf(id));
}

async function tryLines(id, lines) {
  const all = proven.get(id) ?? [];
  const inProcess = all.filter((path) => !/^test\/(integration|cli|demo|runtime)\//.test(path));
  const needsBuild = inProcess.length === 0;
  const tests = needsBuild ? all : inProcess;
  const options = {
    mutate: lines.map(({ file, line }) => `${file}:${line}-${line}`),
    testRunner: "vitest-or-load",
    plugins: [fileURLToPath(new URL("load-runner.mjs", import.meta.url))],
    vitest: { configFile: "tools/mutation/ids.vitest.config.ts", related: false },
    coverageAnalysis: "off",
    concurrency: Number(values.concurrency),
    mutator: { excludedMutations: ["StringLiteral"] },
    timeoutMS: 20_000,
    // Tests that start processes run what was built, so what they start is built from the broken sources.
    ...(needsBuild ? { symlinkNodeModules: false, buildCommand: BUILD } : {}),
  };
  const env = { MUTATION_ID: id, MUTATION_TESTS: tests.join(",") };
  const { judged, planned, isLate, said } = await mutateWithin(options, env, Number(values.budget) * 1_000);
  const alive = judged.filter(({ status }) => status === "Survived" || status === "NoCoverage");
  const excused = alive.filter((mutant) => reasonOf(mutant) !== undefined);
  const survivors = alive.filter((mutant) => reasonOf(mutant) === undefined);
  const killed = judged.length - alive.length;
  const atLoad = judged.filter(({ statusReason }) => statusReason?.startsWith(AT_LOAD)).length;
  console.log(`${id}: ${killed} of ${judged.length} killed${isLate ? `, time was up (${planned} planned)` : ""}`);
  for (const mutant of alive) console.log(`  ${shown(mutant)}${reasonOf(mutant) ? ` (${reasonOf(mutant)})` : ""}`);
  if (judged.length === 0) console.log(`  ${planned} planned; ${said.trim()}`);
  return { id, tried: judged.length, killed, atLoad, excused: excused.length, survivors, planned, isLate };
}

function reasonOf(mutant) {
  const line = readFileSync(mutant.fileName, "utf8").split("\n")[mutant.location.start.line - 1]?.trim() ?? "";
  const file = mutant.fileName.replace(`${process.cwd()}/`, "");
  const found = equivalent.find(
    (one) => one.file === file && one.line === line && one.to === mutant.replacement?.replaceAll(/\s+/g, " "),
  );
  return found?.because;
}

/** IDs that the ledger has as proven through the product, with the files of their tests. */
function provenIds() {
  const found = new Map();
  for (const row of readFileSync("docs/ledger.md", "utf8").split("\n")) {
    const cells = row.split(/(?<!\\) \| /);
    const id = /^\| ([A-Z]{2}-\d+)/.exec(row)?.[1];
    if (id === undefined || !/through the product|real servers/.test(cells.at(-1) ?? "")) continue;
    found.set(id, [...new Set([...row.matchAll(/`((?:src|test|tools)\/[^`]+\.test\.(?:ts|mjs))`/g)].map((m) => m[1]))]);
  }
  return found;
}

function chosenLines(id) {
  const lines = linesOf(id).filter(({ file, line }) =>
    canBreak(readFileSync(file, "utf8").split("\n")[line - 1] ?? ""),
  );
  return draw(lines, Number(values.lines), Number(values.seed));
}

/** Not a blank, a comment, or a line of brackets alone. */
function canBreak(text) {
  return /\w/.test(text) && !/^\s*(\/\/|\/?\*)/.test(text);
}

/** So many of a list, in its order; the same for the same seed (mulberry32). */
function draw(list, count, seed) {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const keys = list.map((_, at) => ({ at, key: random() }));
  const chosen = new Set(
    keys
      .sort((a, b) => a.key - b.key)
      .slice(0, count)
      .map(({ at }) => at),
  );
  return list.filter((_, at) => chosen.has(at));
}

/** The table with these rows, in place of those it had of the same IDs. */
function page(found) {
  const cells = ({ id, tried, killed, atLoad, excused, survivors, planned, isLate }) => {
    const rest = survivors.map((mutant) => `\`${shown(mutant).replaceAll("|", "\\|")}\``).join("<br>");
    return `| ${id} | ${tried}${isLate ? ` of ${planned}` : ""} | ${killed} | ${atLoad} | ${excused} | ${rest} |`;
  };
  const written = existsSync(values.write) ? readFileSync(values.write, "utf8").split("\n") : [];
  const rowOf = new Map(
    written.flatMap((line) => (/^\| ([A-Z]{2}-\d+) \|/.test(line) ? [[line.split(" ")[1], line]] : [])),
  );
  for (const one of found) rowOf.set(one.id, cells(one));
  return [
    "# Broken on purpose",
    "",
    `Lines that implement a requirement are broken one by one, and only the tests that carry its ID may notice. The IDs`,
    `were drawn with seed ${values.seed} from those that were proven at the time; of each at most ${values.lines} lines were tried, drawn`,
    "by the same seed. Which lines those are, and what is left out, says `tools/mutation/ids.mjs`. The row of an ID is",
    `written anew by \`npm run mutate:ids -- ID --seed ${values.seed} --lines ${values.lines} --write ${values.write}\`.`,
    "",
    "*At load*: of the killed ones, those with which a file of the tests cannot be loaded. *Equivalent*: changes nothing",
    "anybody can see; the reasons are in `tools/mutation/equivalent.json`.",
    "",
    "| ID | tried | killed | at load | equivalent | survived |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rowOf.values(),
    "",
  ].join("\n");
}
