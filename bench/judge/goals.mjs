// What the comparison must show, and the sentences for where it does not.
import { LADDERS, OURS, PEERS } from "./policies.mjs";

/** Differences of shares up to this many standard errors are chance. */
const CHANCE = 2;
/** Promised by the default policy: false stops of a whole rollout, and promotions of harm. */
const PROMISED = 0.01;

/**
 * @typedef {object} Finding what an explanation is checked against
 * @property {"promise" | "false" | "speed"} kind of the goal
 * @property {import("./cell.mjs").Cell} ours
 * @property {import("./cell.mjs").Cell} peer ours again for a promise
 * @property {import("./cell.mjs").Cell | null} onItsShares ours on the shares of the peer
 * @property {number} chance what two shares of these cells may differ by
 *
 * @typedef {{ sentence: string, holds: (finding: Finding) => boolean }} Explanation a sentence says no more than `holds` asks
 */

/** @type {Explanation} */
const SAME_SHARES = {
  sentence: "Our first share is 1 %; on the peer's own shares ours is at least as fast.",
  holds: ({ kind, onItsShares, peer }) => kind === "speed" && onItsShares !== null && isAsFast(onItsShares, peer),
};

/** @type {Explanation} */
const FEWER_EXPOSED = {
  sentence: "Slower by the clock; fewer requests had met the candidate when it was stopped.",
  holds: ({ kind, ours, peer }) => {
    const [mine, theirs] = [ours.exposedAtAbort, peer.exposedAtAbort];
    return kind === "speed" && mine !== null && theirs !== null && mine < theirs;
  },
};

/** @type {Explanation} */
const FEWER_PROMOTIONS = {
  sentence: "The faster peer promotes this harm in more of its runs.",
  holds: ({ kind, ours, peer, chance }) => kind === "speed" && peer.promote - ours.promote > chance,
};

/**
 * Speed that is given up on purpose, by row (its name without the traffic). A missed goal takes the first sentence that
 * its own figures bear out. False verdicts have no entry: a promise that is broken is not explained but fails the run.
 * @type {Readonly<Record<string, readonly Explanation[]>>}
 */
export const EXPLAINED = {
  "errors-1": [SAME_SHARES, FEWER_EXPOSED, FEWER_PROMOTIONS],
  "errors-2": [SAME_SHARES, FEWER_EXPOSED, FEWER_PROMOTIONS],
  "errors-5": [SAME_SHARES, FEWER_EXPOSED],
  "p95-40": [SAME_SHARES, FEWER_EXPOSED],
  "p95-60": [SAME_SHARES, FEWER_EXPOSED],
  "leak-errors": [SAME_SHARES, FEWER_EXPOSED],
  "leak-p95": [SAME_SHARES, FEWER_EXPOSED],
  "zero-base": [SAME_SHARES, FEWER_EXPOSED],
};

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
 * Goals of one row: the promise, and against each peer the false verdicts and, where the peer finds the harm in at least
 * half of its runs, the time.
 * @param {import("./scenarios.mjs").Scenario} scenario
 * @param {readonly import("./cell.mjs").Cell[]} cells every policy on every row of the run
 * @param {(share: number, runs: number) => number} standardError
 * @returns {readonly Goal[]}
 */
export function goalsOf({ id, truth }, cells, standardError) {
  const row = cells.filter((cell) => cell.row === id);
  const ours = row.find(({ policy }) => policy === OURS);
  if (ours === undefined || truth === "borderline") return [];
  const mine = falseShare(truth, ours);
  const promise = {
    kind: "promise",
    peer: ours,
    goal: `false verdicts at most ${percent(PROMISED)}`,
    found: percent(mine),
    met: mine <= PROMISED + CHANCE * standardError(PROMISED, ours.runs),
  };
  const peers = row.filter(({ policy }) => PEERS.some((peer) => peer.id === policy));
  const compared = peers.flatMap((peer) => {
    const theirs = falseShare(truth, peer);
    const chance = CHANCE * Math.hypot(standardError(mine, ours.runs), standardError(theirs, peer.runs));
    const found = `${percent(mine)} against ${percent(theirs)}`;
    const verdicts = { kind: "false", peer, goal: "no more false verdicts", found, met: mine <= theirs + chance };
    return truth === "harmful" && peer.abort >= 0.5 ? [verdicts, speedGoal(ours, peer)] : [verdicts];
  });
  return [promise, ...compared].map(({ kind, peer, goal, found, met }) => {
    const chance = CHANCE * Math.hypot(standardError(ours.promote, ours.runs), standardError(peer.promote, peer.runs));
    const ladder = LADDERS.find((one) => peer.policy.startsWith(`${one.peer} `));
    const onItsShares = row.find(({ policy }) => policy === ladder?.id) ?? null;
    const finding = { kind, ours, peer, onItsShares, chance };
    const against = kind === "promise" ? "its promise" : peer.policy;
    return { row: id, against, goal, found, met, explained: met ? null : sentenceFor(id, finding) };
  });
}

/** Harm is found in at least half of the runs, and by the median no later. */
function isAsFast(ours, peer) {
  return ours.abort >= 0.5 && ours.medianAbortS <= peer.medianAbortS;
}

function speedGoal(ours, peer) {
  const mine = ours.abort >= 0.5 ? `${Math.round(ours.medianAbortS)} s` : `in ${percent(ours.abort)} of runs`;
  const found = `${mine} against ${peer.medianAbortS} s`;
  return { kind: "speed", peer, goal: "harm found as fast", found, met: isAsFast(ours, peer) };
}

/** @param {string} row @param {Finding} finding */
function sentenceFor(row, finding) {
  const explanations = EXPLAINED[row] ?? EXPLAINED[row.split("@")[0]] ?? [];
  return explanations.find(({ holds }) => holds(finding))?.sentence ?? null;
}
