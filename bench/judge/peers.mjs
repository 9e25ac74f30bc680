// Carries a peer's rule out against a scenario, closed loop: the next second's traffic follows the share it asks for.
import { candidateCoverage, createGoldSet } from "./gold.mjs";
import { createTrace } from "./traces.mjs";

/**
 * @typedef {object} Outcome
 * @property {"abort" | "promote" | "hold"} outcome
 * @property {number | null} decidedAtS seconds since the candidate's first share; null while it holds
 * @property {number} exposed candidate requests until then
 */

/**
 * @param {import("./policies.mjs").Peer} peer
 * @param {import("./scenarios.mjs").Scenario} scenario
 * @param {number} seed
 * @param {number} limitS what is undecided then is a hold
 * @returns {Outcome}
 */
export function runPeer({ rule, config, looksAtStable }, scenario, seed, limitS) {
  const settings = config(scenario);
  const lengthS = rule.sampleS(settings);
  const trace = createTrace(scenario, seed);
  const goldSet = scenario.gold === null ? null : createGoldSet(scenario.gold, seed);
  const isMissing = scenario.truth === "blind";
  let state = rule.start(settings);
  let exposed = 0;
  for (let endS = lengthS; endS <= limitS; endS += lengthS) {
    const { stable, candidate } = rule.shares(state);
    const sums = { stable: startSum(), candidate: startSum() };
    for (let atS = endS - lengthS + 1; atS <= endS; atS++) {
      const second = trace.drawSecond({ stable: looksAtStable ? stable : 0, candidate }, atS);
      addSecond(sums.stable, second.stable);
      addSecond(sums.candidate, second.candidate);
    }
    exposed += sums.candidate.requests;
    const arms = isMissing ? { stable: null, candidate: null } : sums;
    const coverage = goldSet === null ? null : candidateCoverage(goldSet);
    state = rule.observe(state, { endS, lengthS, ...arms, coverage });
    const outcome = rule.decision(state);
    if (outcome !== null) return { outcome, decidedAtS: outcome === "hold" ? null : endS, exposed };
  }
  return { outcome: "hold", decidedAtS: null, exposed };
}

function startSum() {
  return { requests: 0, failures: 0, latenciesMs: [] };
}

/** Mesh and ingress metrics know nothing of cold starts: both kinds of latency go in. */
function addSecond(sum, { requests, failures, warmMs, coldMs }) {
  sum.requests += requests;
  sum.failures += failures;
  for (const ms of warmMs) sum.latenciesMs.push(ms);
  for (const ms of coldMs) sum.latenciesMs.push(ms);
}
