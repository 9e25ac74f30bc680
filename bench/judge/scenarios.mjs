// What can be true of a candidate: one description from which every policy's world is made.

/**
 * @typedef {object} Scenario
 * @property {string} id row name, with the traffic: `errors-5@100`
 * @property {string} says
 * @property {"healthy" | "harmful" | "borderline" | "blind"} truth healthy: to stop it is false. harmful: to promote it is.
 *   borderline: at a limit of the policy pages, either is defensible. blind: nothing is measured, both are false.
 * @property {number} requestsPerSecond
 * @property {{ stable: (atS: number) => number, candidate: (atS: number) => number }} errorRate
 * @property {(atS: number) => number} slowdown candidate's latency over stable's
 * @property {{ kind: "none" | "shared" | "own", phi: number, deviation: number }} noise of ln latency, by the second
 * @property {{ share: number, factor: number } | null} cold the candidate's cold answers, marked as such
 * @property {{ questions: number, drop: number } | null} gold
 */

export const MEDIAN_MS = 400;
export const SIGMA = 0.5;
export const ERROR_CLASS = "headers|5xx|503";
const BASE_RATE = 0.005;
const HOUR_S = 3_600;

const constant = (value) => () => value;
/** Grows from `from` to `to` over an hour and stays there. */
const leak = (from, to) => (atS) => from + (to - from) * Math.min(1, Math.max(0, atS) / HOUR_S);

const HEALTHY = {
  truth: "healthy",
  errorRate: { stable: constant(BASE_RATE), candidate: constant(BASE_RATE) },
  slowdown: constant(1),
  noise: { kind: "none", phi: 0, deviation: 0 },
  cold: null,
  gold: null,
};

const errors = (percent) => ({
  ...HEALTHY,
  truth: "harmful",
  errorRate: { stable: constant(BASE_RATE), candidate: constant(percent / 100) },
});
const slow = (percent, truth) => ({ ...HEALTHY, truth, slowdown: constant(1 + percent / 100) });
const autocorrelated = (kind, deviation) => ({ ...HEALTHY, noise: { kind, phi: 0.9, deviation } });
const coverageDrop = (drop, truth) => ({ ...HEALTHY, truth, gold: { questions: 50, drop } });

/** Kinds of candidate, and the traffic each is tried at. */
const KINDS = [
  ["aa", [10, 100], "A/A: both arms draw from the same laws", HEALTHY],
  ["errors-1", [10, 100], "errors 0.5 % -> 1 %", errors(1)],
  ["errors-2", [10, 100], "errors 0.5 % -> 2 %", errors(2)],
  ["errors-5", [10, 100], "errors 0.5 % -> 5 %", errors(5)],
  ["errors-50", [10, 100], "errors 0.5 % -> 50 %", errors(50)],
  ["errors-100", [10, 100], "errors 0.5 % -> 100 %", errors(100)],
  ["p95-5", [100], "latency +5 %, inside every limit", slow(5, "healthy")],
  ["p95-10", [10], "latency +10 %, at the tightest limit", slow(10, "borderline")],
  ["p95-25", [10, 100], "latency +25 %, at the loosest limit", slow(25, "borderline")],
  ["p95-40", [10, 100], "latency +40 %", slow(40, "harmful")],
  ["p95-60", [10, 100], "latency +60 %", slow(60, "harmful")],
  [
    "leak-errors",
    [10, 100],
    "errors 0.5 % -> 5 % over an hour",
    { ...errors(5), errorRate: { stable: constant(BASE_RATE), candidate: leak(BASE_RATE, 0.05) } },
  ],
  ["leak-p95", [10, 100], "latency +60 % over an hour", { ...slow(60, "harmful"), slowdown: leak(1, 1.6) }],
  [
    "zero-base",
    [10, 100],
    "errors 0 -> 3 %",
    { ...errors(3), errorRate: { stable: constant(0), candidate: constant(0.03) } },
  ],
  [
    "cold",
    [10],
    "healthy, but 10 % of answers are cold and 5 times slower",
    { ...HEALTHY, cold: { share: 0.1, factor: 5 } },
  ],
  [
    "ar1-shared",
    [100],
    "healthy, latency noise of 25 %, AR(1) 0.9 by the second, shared",
    autocorrelated("shared", 0.25),
  ],
  ["ar1-own-5", [100], "healthy, such noise of 5 %, each arm its own", autocorrelated("own", 0.05)],
  ["ar1-own-10", [100], "healthy, such noise of 10 %, each arm its own", autocorrelated("own", 0.1)],
  ["ar1-own-25", [100], "healthy, such noise of 25 %, each arm its own", autocorrelated("own", 0.25)],
  ["gold-0", [10], "50 gold questions, no drop", coverageDrop(0, "healthy")],
  ["gold-5", [10], "50 gold questions, coverage -0.05", coverageDrop(0.05, "borderline")],
  ["gold-15", [10], "50 gold questions, coverage -0.15", coverageDrop(0.15, "harmful")],
  ["gold-30", [10], "50 gold questions, coverage -0.30", coverageDrop(0.3, "harmful")],
  ["missing", [10], "traffic flows, every metric is missing", { ...HEALTHY, truth: "blind" }],
];

/** @type {readonly Scenario[]} */
export const SCENARIOS = KINDS.flatMap(([name, rates, says, kind]) =>
  rates.map((requestsPerSecond) => ({ ...kind, id: `${name}@${requestsPerSecond}`, says, requestsPerSecond })),
);

/** @param {string} id @returns {Scenario} */
export function scenarioOf(id) {
  const found = SCENARIOS.find((scenario) => scenario.id === id);
  if (found === undefined)
    throw new Error(`found row "${id}", expected one of ${SCENARIOS.map((row) => row.id).join(", ")}`);
  return found;
}

/** Deviation of ln latency over a long time, noise included: what an operator would have measured before. */
export function marginalSigma({ noise }) {
  return Math.hypot(SIGMA, noise.deviation);
}
