// One cell of the table: one policy on one row over many seeds, in figures.
import { runOurs } from "./ours.mjs";
import { runPeer } from "./peers.mjs";
import { LADDERS, OURS, PEERS } from "./policies.mjs";
import { scenarioOf } from "./scenarios.mjs";

/** What is undecided after this long is a hold: longer than any policy needs for a healthy candidate. */
const LIMIT_S = 4 * 3_600;

/**
 * @param {{ row: string, policy: string, from: number, to: number }} task seeds from..to, both included
 * @returns {readonly import("./peers.mjs").Outcome[]}
 */
export function runCell({ row, policy, from, to }) {
  const scenario = scenarioOf(row);
  const peer = PEERS.find(({ id }) => id === policy);
  const ladder = LADDERS.find(({ id }) => id === policy);
  if (peer === undefined && ladder === undefined && policy !== OURS)
    throw new Error(`found policy "${policy}", expected ${OURS}, one of its ladders or a peer`);
  const outcomes = [];
  for (let seed = from; seed <= to; seed++) {
    outcomes.push(
      peer === undefined ? runOurs(scenario, seed, LIMIT_S, ladder?.steps) : runPeer(peer, scenario, seed, LIMIT_S),
    );
  }
  return outcomes;
}

/**
 * @typedef {object} Cell
 * @property {string} row
 * @property {string} policy
 * @property {number} runs
 * @property {number} abort share of runs
 * @property {number} promote share of runs
 * @property {number} abortError standard error of the abort share
 * @property {number | null} medianS to the decision, of the runs that decided
 * @property {number | null} p95S
 * @property {number | null} medianAbortS of the runs that aborted
 * @property {number} exposed median of candidate requests until the decision
 * @property {number | null} exposedAtAbort the same of the runs that aborted
 */

/**
 * @param {{ row: string, policy: string }} cell
 * @param {readonly import("./peers.mjs").Outcome[]} outcomes
 * @returns {Cell}
 */
export function summarise({ row, policy }, outcomes) {
  const runs = outcomes.length;
  const share = (kind) => outcomes.filter(({ outcome }) => outcome === kind).length / runs;
  const times = (kinds) => {
    return outcomes.filter(({ outcome }) => kinds.includes(outcome)).map(({ decidedAtS }) => decidedAtS);
  };
  const abort = share("abort");
  return {
    row,
    policy,
    runs,
    abort,
    promote: share("promote"),
    abortError: standardError(abort, runs),
    medianS: quantile(times(["abort", "promote"]), 0.5),
    p95S: quantile(times(["abort", "promote"]), 0.95),
    medianAbortS: quantile(times(["abort"]), 0.5),
    exposed:
      quantile(
        outcomes.map(({ exposed }) => exposed),
        0.5,
      ) ?? 0,
    exposedAtAbort: quantile(
      outcomes.filter(({ outcome }) => outcome === "abort").map(({ exposed }) => exposed),
      0.5,
    ),
  };
}

/** Of a share; that of one run in it where none or all were seen, because 0 of 200 does not mean never. */
export function standardError(share, runs) {
  const held = Math.min(1 - 1 / (runs + 2), Math.max(1 / (runs + 2), share));
  return Math.sqrt((held * (1 - held)) / runs);
}

function quantile(values, p) {
  if (values.length === 0) return null;
  const ascending = [...values].sort((a, b) => a - b);
  return ascending[Math.max(0, Math.ceil(p * ascending.length) - 1)];
}
