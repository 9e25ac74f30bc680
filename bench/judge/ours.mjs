// Our own policy on the same scenarios: preset `default`, planned from a document, rehearsed with the product's engine.
// On a ladder as its peers climb one; `planPaced` lets evidence choose the shares instead.
import { rehearse } from "../../dist/core/index.js";
import { randomStream } from "../../dist/core/stats/random.js";
import { KNOWN_DRIVERS } from "../../dist/host/driver-registry.js";
import { isProblems, readRollout } from "../../dist/spec/read-rollout.js";
import { planRollout } from "../../dist/spec/plan.js";
import { createGoldSet, probeVerdicts } from "./gold.mjs";
import { ERROR_CLASS, MEDIAN_MS, SIGMA } from "./scenarios.mjs";
import { latencyNoise } from "./traces.mjs";

const SEGMENTS = "  segments: [{ name: tenant, header: x-tenant }, { name: locale, header: accept-language }]\n";
const DOCUMENT = (probes, strategy, segments) => `apiVersion: sluice/v1
kind: Rollout
metadata:
  name: bench
spec:
  service: bench
  stable: { url: "http://127.0.0.1:4001/answer", health: null }
  candidate: { url: "http://127.0.0.1:4002/answer", health: null }
  route: { driver: gateway, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
${segments ? SEGMENTS : ""}${probes ? "  probes: { set: gold.jsonl }\n" : ""}  strategy: ${JSON.stringify(strategy)}
  gates: [{ use: default }]
`;

/** Probes before the first user and before half of them. */
const LADDER = [
  { probes: true },
  { weight: 1, hold: "15m" },
  { weight: 5, hold: "15m" },
  { weight: 10, hold: "15m" },
  { weight: 25, hold: "15m" },
  { probes: true },
  { weight: 50, hold: "30m" },
];

/** Gates that speak of what a trace holds: its gold set measures coverage and no distances or phrasings. */
const OTHER_PROBE_GATES = ["schema-violation", "delta-s", "lambda"];

/**
 * @param {boolean} hasGold
 * @param {readonly object[] | null} steps null for the ladder above
 * @param {boolean} hasSegments whether users are told apart by tenant and language
 */
export function planOurs(hasGold, steps = null, hasSegments = false) {
  const probed = steps === null ? LADDER : [{ probes: true }, ...steps];
  const canary = { steps: hasGold ? probed : probed.filter((step) => step.probes === undefined), watch: "1h" };
  return planned(DOCUMENT(hasGold, { canary }, hasSegments));
}

/** The same gates with shares chosen by evidence. @param {object} pace as a document writes it */
export function planPaced(pace) {
  return planned(DOCUMENT(false, { pace }, false));
}

function planned(document) {
  const read = readRollout(document, KNOWN_DRIVERS);
  if (isProblems(read)) throw new Error(`the benchmark's document: ${JSON.stringify(read)}`);
  const plan = planRollout(read.document, read.source, {
    file: "bench.yaml",
    generation: 1,
    seed: 7,
    documentDigest: "sha256:bench",
    goldDigest: "sha256:bench",
    drivers: KNOWN_DRIVERS,
    paths: { set: null, map: null, corpus: null },
  });
  return { ...plan, gates: plan.gates.filter(({ gate }) => !OTHER_PROBE_GATES.includes(gate)) };
}

/**
 * The scenario as the engine's world. Cold answers are marked and never enter the warm sketch, so that to us a candidate
 * with cold starts is one without them; when every metric is missing no window arrives.
 * @param {import("./scenarios.mjs").Scenario} scenario
 * @param {number} seed
 */
export function worldOf(scenario, seed) {
  const noise = latencyNoise(scenario, seed);
  const arm = (name) => ({
    failures: (atS) => {
      const rate = scenario.errorRate[name](atS);
      return rate === 0 ? {} : { [ERROR_CLASS]: rate };
    },
    latency: (atS) => {
      const slowdown = name === "candidate" ? scenario.slowdown(atS) : 1;
      return { medianMs: MEDIAN_MS * slowdown * Math.exp(noise[name](atS)), sigma: SIGMA };
    },
  });
  const requestsPerSecond = scenario.truth === "blind" ? 1e-9 : scenario.requestsPerSecond;
  return { requestsPerSecond, arms: { stable: arm("stable"), candidate: arm("candidate") } };
}

/** Verdicts of each probe stage in turn; a run that proves nothing is asked again with two more repetitions. */
function probeAnswers(scenario, plan, seed) {
  if (scenario.gold === null) return { parity: [], probes: () => [] };
  const goldSet = createGoldSet(scenario.gold, seed);
  const places = plan.stages.flatMap((stage, index) => (stage.kind === "probes" ? [shareBefore(plan, index)] : []));
  let [place, attempts] = [0, 0];
  const probes = () => {
    const stage = { kind: "probes", candidateBp: places[place] ?? 0, heldMs: 0, holdMs: 0 };
    const extraRepeats = attempts === 0 ? 0 : 2;
    const verdicts = probeVerdicts(goldSet, { seed: seed + attempts, extraRepeats, stage, gates: plan.gates });
    const isPassed = verdicts.length > 0 && verdicts.every(({ kind }) => kind === "pass");
    [place, attempts] = isPassed ? [place + 1, 0] : [place, attempts + 1];
    return verdicts;
  };
  return { parity: [], probes };
}

function shareBefore(plan, index) {
  const before = plan.stages.slice(0, index).filter((stage) => stage.kind === "traffic");
  return before.length === 0 ? 0 : before[before.length - 1].candidateBp;
}

/**
 * @param {import("./scenarios.mjs").Scenario} scenario
 * @param {number} seed
 * @param {number} limitS what is undecided then is a hold
 * @param {readonly object[] | null} steps of the ladder, null for the one above
 * @returns {import("./peers.mjs").Outcome}
 */
export function runOurs(scenario, seed, limitS, steps = null) {
  const plan = planOurs(scenario.gold !== null, steps);
  const random = randomStream((Math.imul(seed, 0x9e3779b1) + 11) >>> 0);
  const answers = probeAnswers(scenario, plan, seed);
  const { rollout, endedAtS, candidateRequests } = rehearse(plan, worldOf(scenario, seed), random, limitS, answers);
  const outcome = rollout.phase === "promoted" ? "promote" : rollout.phase === "rolled-back" ? "abort" : "hold";
  return { outcome, decidedAtS: outcome === "hold" ? null : endedAtS, exposed: candidateRequests };
}
