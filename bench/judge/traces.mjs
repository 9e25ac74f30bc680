// Seeded traffic of two arms, second by second, under whatever shares the policy serves at that moment.
import { randomStream } from "../../dist/core/stats/random.js";
import { ERROR_CLASS, MEDIAN_MS, SIGMA } from "./scenarios.mjs";

/**
 * @typedef {object} ArmSecond
 * @property {number} requests
 * @property {number} failures
 * @property {Readonly<Record<string, number>>} classes failures by class
 * @property {readonly number[]} warmMs latencies of warm answers that did not fail
 * @property {readonly number[]} coldMs the same of cold ones
 *
 * @typedef {object} Trace
 * @property {(shares: import("./types.d.mts").Shares, atS: number) => { stable: ArmSecond, candidate: ArmSecond }} drawSecond
 */

/** Streams of chance of one run. Each arm has its own, so that an arm nobody looks at can stay undrawn. */
const STREAM = { stable: 1, candidate: 2, sharedNoise: 3, stableNoise: 4, candidateNoise: 5 };

/** @param {number} seed @param {keyof typeof STREAM} name */
function streamOf(seed, name) {
  return randomStream((Math.imul(seed, 0x9e3779b1) + STREAM[name]) >>> 0);
}

/**
 * Normal deviates, two for each pair of uniform numbers.
 * @param {() => number} random
 * @source G. E. P. Box, M. E. Muller, Annals of Mathematical Statistics 29 (1958) 610-611
 */
function normalStream(random) {
  let spare = Number.NaN;
  return () => {
    if (!Number.isNaN(spare)) {
      const value = spare;
      spare = Number.NaN;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** Poisson count: by inversion for small means, by the normal approximation above 60 where its error is below 1 %. */
function poisson(mean, random, normal) {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/**
 * Latency noise of both arms in one run: ln factor by the second, a stationary AR(1). The same seed gives every policy the
 * same noise.
 * @param {import("./scenarios.mjs").Scenario} scenario
 * @param {number} seed
 * @returns {{ stable: (atS: number) => number, candidate: (atS: number) => number }}
 */
export function latencyNoise({ noise }, seed) {
  if (noise.kind === "none") return { stable: () => 0, candidate: () => 0 };
  const path = (name) => {
    const normal = normalStream(streamOf(seed, name));
    const values = [noise.deviation * normal()];
    const innovation = noise.deviation * Math.sqrt(1 - noise.phi ** 2);
    return (atS) => {
      while (values.length <= atS) values.push(noise.phi * values[values.length - 1] + innovation * normal());
      return values[atS];
    };
  };
  if (noise.kind === "own") return { stable: path("stableNoise"), candidate: path("candidateNoise") };
  const shared = path("sharedNoise");
  return { stable: shared, candidate: shared };
}

/**
 * One run's traffic: Poisson arrivals thinned to each arm's share, Bernoulli failures with their class, lognormal
 * latency, cold answers apart.
 * @param {import("./scenarios.mjs").Scenario} scenario
 * @param {number} seed
 * @returns {Trace}
 */
export function createTrace(scenario, seed) {
  const noise = latencyNoise(scenario, seed);
  const arm = (name) => {
    const random = streamOf(seed, name);
    const normal = normalStream(random);
    const cold = name === "candidate" ? scenario.cold : null;
    return (share, atS) => {
      const requests = share <= 0 ? 0 : poisson(scenario.requestsPerSecond * share, random, normal);
      const rate = scenario.errorRate[name](atS);
      const slowdown = name === "candidate" ? scenario.slowdown(atS) : 1;
      const medianMs = MEDIAN_MS * slowdown * Math.exp(noise[name](atS));
      const [warmMs, coldMs] = [[], []];
      let failures = 0;
      for (let request = 0; request < requests; request++) {
        if (random() < rate) {
          failures++;
          continue;
        }
        const ms = medianMs * Math.exp(SIGMA * normal());
        if (cold !== null && random() < cold.share) coldMs.push(ms * cold.factor);
        else warmMs.push(ms);
      }
      return { requests, failures, classes: failures === 0 ? {} : { [ERROR_CLASS]: failures }, warmMs, coldMs };
    };
  };
  const [stable, candidate] = [arm("stable"), arm("candidate")];
  return {
    drawSecond: (shares, atS) => ({ stable: stable(shares.stable, atS), candidate: candidate(shares.candidate, atS) }),
  };
}
