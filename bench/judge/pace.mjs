// Shares chosen by evidence beside the ladder 1-5-10-25-50 % of 15 minutes a step, the same gates and streams:
//   npm run bench:pace -- [--runs 100] [--rps 10]
// Goals, at 10 requests a second: a healthy candidate at 100 % within 35 minutes before the soak, 2 % errors stopped
// within 15 minutes and 5 % within 3, each with at most 1.3 times the candidate requests of the ladder; at most 1 % of
// the healthy stopped and of the harmful promoted, at any rate. Medians. Exit 1 when a goal is missed.
import { rehearse } from "../../dist/core/rehearsal/rehearse.js";
import { SCENARIOS, USUAL_BASELINE } from "../../dist/core/rehearsal/scenario.js";
import { passingAnswers } from "../../dist/core/rehearsal/study.js";
import { randomStream } from "../../dist/core/stats/random.js";
import { planOurs, planPaced } from "./ours.mjs";

const argument = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const runs = argument("runs", 100);
const requestsPerSecond = argument("rps", 10);
const LIMIT_S = 4 * 3_600;
const MOST_EXPOSED = 1.3;
const ladder = planOurs(
  false,
  [1, 5, 10, 25, 50, 100].map((weight) => ({ weight, hold: "15m" })),
);
/** The soak is no part of the time to proof. */
const paced = planPaced({ soak: "30s", watch: "1m" });
const ROWS = [
  { name: "healthy", to100WithinS: 35 * 60 },
  { name: "errors-2", stoppedWithinS: 15 * 60 },
  { name: "errors-5", stoppedWithinS: 3 * 60 },
  { name: "dead", stoppedWithinS: 60 },
  { name: "slow-40", stoppedWithinS: 15 * 60 },
];

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? null;

function study(plan, name) {
  const arms = SCENARIOS.find((one) => one.name === name).arms(USUAL_BASELINE);
  const seen = Array.from({ length: runs }, (_, index) =>
    rehearse(plan, { requestsPerSecond, arms }, randomStream(1_000 + index), LIMIT_S, passingAnswers(plan)),
  );
  const stopped = seen.filter(({ decidedAfterS }) => decidedAfterS !== null);
  return {
    stopped: stopped.length,
    promoted: seen.filter(({ rollout }) => rollout.phase === "promoted").length,
    decidedS: median(stopped.map(({ decidedAfterS }) => decidedAfterS)),
    exposed: median(stopped.map(({ candidateRequests }) => candidateRequests)),
    to100S: median(seen.flatMap(({ reached100AtS }) => reached100AtS ?? [])),
    shares: median(seen.map(({ rollout }) => sharesOf(plan, rollout))),
  };
}

function sharesOf({ stages }, { stoodAt = [] }) {
  const shares = stoodAt.flatMap((index) =>
    stages[index].kind === "traffic" ? [stages[index].candidateBp / 100] : [],
  );
  return shares.join("-");
}

function missed(row, ours, theirs) {
  const found = [];
  if (row.to100WithinS !== undefined) {
    if (ours.stopped / runs > 0.01) found.push(`${ours.stopped} healthy stopped`);
    if (requestsPerSecond === 10 && !(ours.to100S <= row.to100WithinS)) found.push(`at 100 % after ${ours.to100S} s`);
    return found;
  }
  if (ours.promoted / runs > 0.01) found.push(`${ours.promoted} harmful promoted`);
  if (requestsPerSecond !== 10) return found;
  if (!(ours.decidedS <= row.stoppedWithinS)) found.push(`stopped after ${ours.decidedS} s`);
  if (!(ours.exposed <= MOST_EXPOSED * theirs.exposed)) found.push(`${ours.exposed} exposed, ${theirs.exposed} before`);
  return found;
}

console.log(`${runs} runs a row, ${requestsPerSecond} requests/s\n`);
console.log(
  "| candidate | shares | stopped | promoted | decided, s | exposed | at 100 %, min | ladder: decided, s | exposed |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const row of ROWS) {
  const ours = study(paced, row.name);
  const theirs = row.to100WithinS === undefined ? study(ladder, row.name) : null;
  const problems = missed(row, ours, theirs);
  const minutes = ours.to100S === null ? "–" : (ours.to100S / 60).toFixed(1);
  const cells = [
    row.name,
    ours.shares,
    ours.stopped,
    ours.promoted,
    ours.decidedS ?? "–",
    ours.exposed ?? "–",
    minutes,
  ];
  console.log(`| ${[...cells, theirs?.decidedS ?? "–", theirs?.exposed ?? "–"].join(" | ")} |`);
  for (const problem of problems) console.error(`MISSED  ${row.name}: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}
