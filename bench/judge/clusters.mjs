// Whole rollouts where failures and slowness follow users:
//   npm run bench:clusters -- [--runs 3000] [--row START OF A NAME] [--hours 2]
// Of a healthy row at most 1 % may be stopped; of a harmful one at most 1 % promoted. Exits 1 when a row misses its goal.
import { crowdTraffic } from "../../dist/core/rehearsal/crowd-traffic.js";
import { rehearse } from "../../dist/core/rehearsal/rehearse.js";
import { passingAnswers } from "../../dist/core/rehearsal/study.js";
import { randomStream } from "../../dist/core/stats/random.js";
import { ROWS } from "./crowd-rows.mjs";
import { planOurs } from "./ours.mjs";

const argument = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const runs = Number(argument("runs", "300"));
const only = argument("row", null);
/** The default policy's gates on a short ladder that moves up only on proof; a rollout is left after two hours. */
const ladder = (weights) => weights.map((weight) => ({ weight, hold: "2m" }));
const LADDER = [1, 5, 10, 25, 50, 100];
const LIMIT_S = Number(argument("hours", "2")) * 3_600;
const STOPPED = ["rolled-back", "rolling-back"];

let isMissed = false;
console.log(
  "| row | runs | stopped | promoted | held by few users when left | decided after, median s | candidate requests, median |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
for (const row of ROWS.filter(({ name }) => only === null || name.startsWith(only))) {
  const { harmed = null, segments, steps = LADDER } = row.population;
  const plan = planOurs(false, ladder(steps), segments !== undefined);
  const traffic = crowdTraffic(row.population);
  let [stopped, promoted, held, named] = [0, 0, 0, 0];
  const [times, requests, causes] = [[], [], {}];
  for (let index = 0; index < runs; index++) {
    const { rollout, decidedAfterS, candidateRequests } = rehearse(
      plan,
      traffic,
      randomStream(1_000 + index),
      LIMIT_S,
      passingAnswers(plan),
    );
    if (STOPPED.includes(rollout.phase)) {
      stopped++;
      causes[rollout.cause?.gate ?? "none"] = (causes[rollout.cause?.gate ?? "none"] ?? 0) + 1;
      if (harmed !== null && rollout.cause?.verdict?.segment === harmed) named++;
      times.push(decidedAfterS);
      requests.push(candidateRequests);
    }
    if (rollout.phase === "promoted") promoted++;
    if (rollout.verdicts.some(({ reason }) => reason.includes("few users send them"))) held++;
  }
  const percent = (count) => `${((100 * count) / runs).toFixed(2)} %`;
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1] ?? "–";
  const isGood = row.isHarmful ? promoted / runs <= 0.01 : stopped / runs <= 0.01;
  isMissed ||= !isGood;
  const cells = [
    row.name,
    runs,
    percent(stopped),
    percent(promoted),
    percent(held),
    median(times),
    median(requests),
    Object.entries(causes)
      .map(([gate, count]) => `${gate} ${count}`)
      .join(", ") + (harmed === null ? "" : `; named ${percent(named)}`),
  ];
  console.log(`| ${cells.join(" | ")} |${isGood ? "" : " MISSED"}`);
}
process.exitCode = isMissed ? 1 : 0;
