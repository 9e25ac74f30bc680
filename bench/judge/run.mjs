// Our default policy beside Flagger, Argo Rollouts and Kayenta on candidates of which the truth is known.
//   npm run bench:judge -- [--runs N] [--rows a,b] [--aa N] [--json]
// A whole run writes docs/judge-benchmark.md. Exit 1 when a goal is missed without an explanation, 2 on a wrong option.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { standardError, summarise } from "./cell.mjs";
import { goalsOf } from "./goals.mjs";
import { LADDERS, PEERS, POLICIES } from "./policies.mjs";
import { markdown } from "./report.mjs";
import { SCENARIOS } from "./scenarios.mjs";

const RUNS = 200;
const WORKERS = 2;
/** Seeds of one task: long enough to be worth a message, short enough that both workers end together. */
const CHUNK = 20;
const PAGE = new URL("../../docs/judge-benchmark.md", import.meta.url);

function readOptions() {
  const { values } = parseArgs({
    options: {
      runs: { type: "string" },
      rows: { type: "string" },
      aa: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const count = (text, name) => {
    const number = Number(text);
    if (!Number.isInteger(number) || number < 1)
      throw new Error(`found --${name} ${text}, expected a whole number above 0`);
    return number;
  };
  const named = values.rows?.split(",") ?? (values.aa === undefined ? null : ["aa"]);
  const scenarios = SCENARIOS.filter(
    ({ id }) => named?.some((name) => id === name || id.split("@")[0] === name) ?? true,
  );
  const known = SCENARIOS.flatMap(({ id }) => [id, id.split("@")[0]]);
  const unknown = named?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length > 0)
    throw new Error(`found row ${unknown.join(", ")}, expected some of ${[...new Set(known)].join(", ")}`);
  const runs = values.aa === undefined ? count(values.runs ?? String(RUNS), "runs") : count(values.aa, "aa");
  return { runs, scenarios, isJson: values.json, isWhole: named === null };
}

/** What was judged with: the built engine's own text, because figures of another build are other figures. */
function engineDigest() {
  const hash = createHash("sha256");
  for (const layer of ["core", "spec"]) {
    const folder = new URL(`../../dist/${layer}/`, import.meta.url);
    const files = readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith(".js"));
    for (const name of files.sort()) hash.update(name).update(readFileSync(new URL(name, folder)));
  }
  return hash.digest("hex").slice(0, 12);
}

/** Ours on the peers' shares only where there is harm to find: it is a comparison of times. */
function policiesOf({ truth }) {
  return truth === "harmful" ? [...POLICIES, ...LADDERS.map(({ id }) => id)] : POLICIES;
}

function tasksOf(scenarios, runs) {
  const tasks = scenarios.flatMap((scenario) =>
    policiesOf(scenario).flatMap((policy) =>
      Array.from({ length: Math.ceil(runs / CHUNK) }, (_, chunk) => {
        return { row: scenario.id, policy, from: chunk * CHUNK + 1, to: Math.min(runs, (chunk + 1) * CHUNK) };
      }),
    ),
  );
  // Ours take longest; begun first, nobody waits for them at the end.
  const isPeers = ({ policy }) => Number(PEERS.some(({ id }) => id === policy));
  return tasks.sort((a, b) => isPeers(a) - isPeers(b));
}

/** Outcomes by `row policy`, in seed order whatever order the workers end in. */
async function runAll(tasks) {
  const found = new Map();
  const queue = [...tasks];
  const work = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./worker.mjs", import.meta.url));
      const next = () => {
        const task = queue.shift();
        if (task === undefined) void worker.terminate().then(() => resolve(undefined));
        else worker.postMessage(task);
      };
      worker.on("error", reject);
      worker.on("message", ({ task, outcomes }) => {
        const key = `${task.row} ${task.policy}`;
        found.set(key, [...(found.get(key) ?? []), { from: task.from, outcomes }]);
        next();
      });
      next();
    });
  await Promise.all(Array.from({ length: WORKERS }, work));
  return (row, policy) =>
    (found.get(`${row} ${policy}`) ?? []).sort((a, b) => a.from - b.from).flatMap(({ outcomes }) => outcomes);
}

async function main() {
  const { runs, scenarios, isJson, isWhole } = readOptions();
  const engine = engineDigest();
  const outcomesOf = await runAll(tasksOf(scenarios, runs));
  const cells = scenarios.flatMap((scenario) =>
    policiesOf(scenario).map((policy) => summarise({ row: scenario.id, policy }, outcomesOf(scenario.id, policy))),
  );
  const goals = scenarios.flatMap((scenario) => goalsOf(scenario, cells, standardError));
  const options = process.argv.slice(2).filter((option) => option !== "--json");
  const command = `npm run bench:judge${options.length > 0 ? ` -- ${options.join(" ")}` : ""}`;
  const page = markdown({ command, engine, runs, scenarios, cells, goals });
  if (isWhole) writeFileSync(PAGE, page);
  console.log(isJson ? JSON.stringify({ command, engine, runs, cells, goals }, null, 2) : page);
  const open = goals.filter(({ met, explained }) => !met && explained === null);
  for (const { row, against, goal, found } of open)
    console.error(`MISSED  ${row} against ${against}: ${goal}: ${found}`);
  process.exitCode = open.length === 0 ? 0 : 1;
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 2;
});
