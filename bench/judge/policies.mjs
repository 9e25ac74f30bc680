// The peers as they are compared: each once as its documentation shows it, once with the limits of the policy pages.
import { argo } from "./rules/argo.mjs";
import { flagger } from "./rules/flagger.mjs";
import { kayenta } from "./rules/kayenta.mjs";
import { MEDIAN_MS, marginalSigma } from "./scenarios.mjs";

const MINUTE_S = 60;
const HOUR_S = 3_600;
const Z_99 = 2.3263478740408408;
const PASS_RATE = 0.99;
const P95_RATIO = 1.25;
const COVERAGE = 0.7;

/**
 * `documented`: https://docs.flagger.app/tutorials/istio-progressive-delivery: interval 1m, threshold 5, maxWeight 50,
 * stepWeight 10, success rate at least 99 %, P99 duration at most 500 ms over 1m. 500 ms mean nothing to a service with
 * another latency, so the limit is 1.25 times the P99 that stable is known for.
 * `tuned`: the same schedule; the duration check is a custom metric, candidate's p95 over stable's in the same minute, at
 * most 1.25; with a gold set, its mean coverage at least 0.70 in each check.
 */
function flaggerConfig(kind, scenario) {
  const schedule = { intervalS: MINUTE_S, threshold: 5, stepWeight: 10, maxWeight: 50 };
  const errors = { metric: "success-rate", min: PASS_RATE };
  const p99Ms = MEDIAN_MS * Math.exp(Z_99 * marginalSigma(scenario));
  if (kind === "documented") return { ...schedule, metrics: [errors, { metric: "p99-ms", max: 1.25 * p99Ms }] };
  const coverage = scenario.gold === null ? [] : [{ metric: "coverage", min: COVERAGE }];
  return { ...schedule, metrics: [errors, { metric: "p95-ratio", max: P95_RATIO }, ...coverage] };
}

/**
 * `documented`: the example of "Background Analysis": 20, 40, 60, 80 %, 10 minutes each, from the second weight on a
 * success rate of at least 95 % every 5m, failureLimit 3. Its query asks for the last seconds (`irate`) of the whole
 * service; here it gets all 5 minutes of the candidate alone, which can only help it.
 * `tuned`: the same steps, analysis from the first weight with `initialDelay: 5m`, success rate at least 99 %, p95 at most
 * 1.25 times stable's, failureLimit 1 (3 would need 20 minutes of failures); coverage as for Flagger.
 */
function argoConfig(kind, scenario) {
  const steps = [20, 40, 60, 80].flatMap((setWeight) => [{ setWeight }, { pauseS: 10 * MINUTE_S }]);
  const base = { intervalS: 5 * MINUTE_S, steps };
  if (kind === "documented") {
    const background = [{ metric: "success-rate", success: (value) => value >= 0.95, failureLimit: 3 }];
    return { ...base, background, startingStep: 2 };
  }
  const limits = { initialDelayS: 5 * MINUTE_S, failureLimit: 1 };
  const background = [
    { metric: "success-rate", success: (value) => value >= PASS_RATE, ...limits },
    { metric: "p95-ratio", success: (value) => value <= P95_RATIO, ...limits },
    ...(scenario.gold === null ? [] : [{ metric: "coverage", success: (value) => value >= COVERAGE, ...limits }]),
  ];
  return { ...base, background, startingStep: 0 };
}

/**
 * `documented`: the starting points of "Best practices": 3 h in intervals of 1 h, one point a minute (at least 50 a run),
 * pass 95, marginal 75, an equal baseline; errors and latency in a group each. The share is nobody's default: 10 %.
 * `tuned`: points of 30 s and intervals of 30 min over 2 h (still 60 a run), effect sizes of the policy pages: latency
 * 1.25 times, errors 1.2 times the baseline's mean. Neither can use a gold set: a probe run a stage is a handful of points.
 */
function kayentaConfig(kind) {
  const isTuned = kind === "tuned";
  const metrics = [
    {
      metric: "error-percent",
      group: "errors",
      direction: "increase",
      nanStrategy: "replace",
      ...(isTuned ? { allowedIncrease: 1.2 } : {}),
    },
    {
      metric: "p95-ms",
      group: "latency",
      direction: "increase",
      nanStrategy: "remove",
      ...(isTuned ? { allowedIncrease: P95_RATIO } : {}),
    },
  ];
  return {
    stepS: isTuned ? 30 : MINUTE_S,
    intervalS: isTuned ? HOUR_S / 2 : HOUR_S,
    lifetimeS: (isTuned ? 2 : 3) * HOUR_S,
    candidateShare: 0.1,
    pass: 95,
    marginal: 75,
    metrics,
    groupWeights: { errors: 50, latency: 50 },
  };
}

/**
 * @typedef {object} Peer
 * @property {string} id
 * @property {import("./types.d.mts").Rule<any, any>} rule
 * @property {(scenario: import("./scenarios.mjs").Scenario) => object} config
 * @property {boolean} looksAtStable when false the stable arm is not drawn
 */

/** @type {readonly Peer[]} */
export const PEERS = ["documented", "tuned"].flatMap((kind) => [
  {
    id: `flagger ${kind}`,
    rule: flagger,
    config: (scenario) => flaggerConfig(kind, scenario),
    looksAtStable: kind === "tuned",
  },
  { id: `argo ${kind}`, rule: argo, config: (scenario) => argoConfig(kind, scenario), looksAtStable: kind === "tuned" },
  { id: `kayenta ${kind}`, rule: kayenta, config: () => kayentaConfig(kind), looksAtStable: true },
]);

/** Our row's name in every table. */
export const OURS = "sluice default";

/** Every policy of a comparison, ours first. */
export const POLICIES = [OURS, ...PEERS.map(({ id }) => id)];

/**
 * The gates of `default` on a peer's own shares and holds, watched for an hour at 100 % where the peer has long promoted:
 * what is left of a difference in time when as many users meet the candidate.
 */
export const LADDERS = [
  { peer: "flagger", steps: [10, 20, 30, 40, 50].map((weight) => ({ weight, hold: "1m" })) },
  { peer: "argo", steps: [20, 40, 60, 80].map((weight) => ({ weight, hold: "10m" })) },
  { peer: "kayenta", steps: [{ weight: 10, hold: "2h" }] },
].map((ladder) => ({ ...ladder, id: `sluice on ${ladder.peer}'s shares` }));
