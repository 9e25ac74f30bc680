import type { GateOptions } from "../../core/gate/options.ts";

const MINUTE_MS = 60_000;

/** What a share gate has besides its limits. `alpha` is its part of the error budget of a rollout, 0.01. */
const limits = { mode: "sequential", alpha: 0.001, beta: 0.05, onNoData: "hold" } as const;
const latency = {
  mode: "sequential",
  alpha: 0.001,
  beta: 0.05,
  harmRatio: 1.1,
  margin: { under10: 1.5, under50: 1.25, from50: 1.25 },
  minSamples: 60,
  swingMs: 15_000,
} as const;
const events = { max: 0, onNoData: "hold" } as const;

/**
 * Options of every kind of gate before a preset or a document says otherwise. Numbers of `default`'s gates are the
 * default policy's; those of the other kinds are the pages' where a page has one.
 * @source decision-policy.md "Margins"; requirements.md §2.1 and the IDs in `page.ts`
 */
export const GATE_DEFAULTS: GateOptions = {
  "schema-violation": { maxShare: 0.005 },
  parity: {},
  "sample-ratio": { alpha: 0.001 },
  "duplicate-effect": events,
  "write-loss": events,
  "sticky-violation": events,
  "cache-collision": events,
  "error-rate": {
    mode: "sequential",
    alpha: 0.001,
    beta: 0.05,
    margin: { under10: 0.02, under50: 0.01, from50: 0.005 },
    minSamples: 100,
  },
  "error-rate-abs": { ...limits, promote: 0.005, stop: 0.01, minSamples: 600 },
  "error-rate-rel": { ...limits, promote: 1.2, stop: null, minSamples: 600 },
  "five-xx-abs": { ...limits, promote: 0.005, stop: 0.01, minSamples: 600 },
  "five-xx-delta": { ...limits, promote: 0.0005, stop: null, minSamples: 600 },
  "five-xx-burst": { limit: 0.05, longestMs: MINUTE_MS },
  "new-error-class": { alpha: 0.001, beta: 0.05 },
  "tool-loop": events,
  "p95-warm": latency,
  "p95-equal-load": latency,
  "cold-share": { ...limits, promote: 0.05, stop: null, minSamples: 300 },
  "queue-age-slope": { mode: "sequential", promote: 5, windowMs: MINUTE_MS, windows: 3, onNoData: "hold" },
  "dedupe-miss": { ...limits, promote: 0.001, stop: 0.01, minSamples: 300 },
  "cache-hit-drop": { ...limits, promote: 0.05, stop: 0.15, minSamples: 300 },
  coverage: {
    mode: "sequential",
    level: 0.7,
    stop: 0.6,
    dropMargin: { under10: 0.1, under50: 0.05, from50: 0.05 },
    dropStop: 0.05,
    topicLevel: 0.7,
    topicFloor: 0.5,
  },
  "delta-s": {
    mode: "sequential",
    limit: 0.45,
    stop: 0.6,
    driftMargin: { under10: 0.06, under50: 0.03, from50: 0.03 },
    driftStop: 0.03,
    p95DriftStop: 0.15,
  },
  lambda: {
    mode: "sequential",
    level: "paired",
    margin: { under10: 0.1, under50: 0.05, from50: 0.05 },
    increaseStop: 0.05,
    flipRateStop: 0.2,
    maxFlipsPerQuestion: null,
  },
  metric: { metric: "", comparison: "absolute", better: "lower", promote: 0, stop: null, failures: 3, passes: 3 },
  custom: { pass: "", fail: null, minSamples: 100 },
  "peak-hour": { requestsPerSecond: null, lengthMs: 60 * MINUTE_MS },
};
