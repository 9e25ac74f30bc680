// What the comparison must show, and the sentences for where it does not.
import { OURS } from "./policies.mjs";

/** Differences of shares up to this many standard errors are chance. */
const CHANCE = 2;
/** Promised by the default policy: false stops of a whole rollout, and promotions of harm. */
const PROMISED = 0.01;

/**
 * Goals that a row misses on purpose, with one sentence why: row name without its traffic, or with it, and the policy it
 * is missed against (`*` for any). Nothing else may be missed.
 * @type {Readonly<Record<string, Readonly<Record<string, string>>>>}
 */
export const EXPLAINED = {};

/**
 * @typedef {object} Goal
 * @property {string} row
 * @property {string} against
 * @property {string} goal
 * @property {string} found
 * @property {boolean} met
 * @property {string | null} explained
 */

/** Share of false verdicts: what may never happen to a candidate of this truth. */
export function falseShare(truth, { abort, promote }) {
  if (truth === "healthy") return abort;
  if (truth === "harmful") return promote;
  return truth === "blind" ? abort + promote : 0;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

/**
 * @param {import("./scenarios.mjs").Scenario} scenario
 * @param {readonly import("./cell.mjs").Cell[]} cells of this row, every policy
 * @param {(share: number, runs: number) => number} standardError
 * @returns {readonly Goal[]}
 */
export function goalsOf({ id, truth }, cells, standardError) {
  const ours = cells.find(({ policy }) => policy === OURS);
  if (ours === undefined || truth === "borderline") return [];
  const goals = [promiseGoal(id, truth, ours, standardError)];
  for (const peer of cells) {
    if (peer.policy === OURS) continue;
    goals.push(falseGoal(id, truth, ours, peer, standardError));
    if (truth === "harmful" && peer.abort >= 0.5) goals.push(speedGoal(id, ours, peer));
  }
  return goals.map((goal) => ({ ...goal, explained: goal.met ? null : sentenceFor(id, goal) }));
}

function promiseGoal(row, truth, ours, standardError) {
  const share = falseShare(truth, ours);
  const met = share <= PROMISED + CHANCE * standardError(PROMISED, ours.runs);
  return { row, against: "promise", goal: `false verdicts at most ${percent(PROMISED)}`, found: percent(share), met };
}

function falseGoal(row, truth, ours, peer, standardError) {
  const [mine, theirs] = [falseShare(truth, ours), falseShare(truth, peer)];
  const chance = CHANCE * Math.hypot(standardError(mine, ours.runs), standardError(theirs, peer.runs));
  const goal = "no more false verdicts";
  return {
    row,
    against: peer.policy,
    goal,
    found: `${percent(mine)} against ${percent(theirs)}`,
    met: mine <= theirs + chance,
  };
}

function speedGoal(row, ours, peer) {
  const goal = "harm found as fast";
  const isFound = ours.abort >= 0.5;
  const found = `${isFound ? `${ours.medianAbortS} s` : `in ${percent(ours.abort)} of runs`} against ${peer.medianAbortS} s`;
  return { row, against: peer.policy, goal, found, met: isFound && ours.medianAbortS <= peer.medianAbortS };
}

function sentenceFor(row, { against, goal }) {
  const entry = EXPLAINED[row] ?? EXPLAINED[row.split("@")[0]];
  return entry?.[`${against}: ${goal}`] ?? entry?.[against] ?? entry?.[goal] ?? null;
}
