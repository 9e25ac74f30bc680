import { countBins } from "../../window/sketch.ts";
import { shareGate } from "./share-gate.ts";

/** @source requirements.md GQ-27 (page 003) */
export const coldShare = shareGate({
  gate: "cold-share",
  condition: "cold_share",
  comparison: "absolute",
  what: "cold starts",
  among: "answers",
  unit: "share of answers",
  from: "`x-cold-start` header",
  eventField: "cold_start",
  healthy: 0.01,
  limits: { promote: 0.05, stop: null, minSamples: 300 },
  advice: {
    means: "starts cold too often",
    lookAt: "minimum instances and provisioned concurrency, before the share grows",
  },
  count: (arm) => {
    const cold = countBins(arm.cold);
    return { failures: cold, total: cold + countBins(arm.warm) };
  },
});

/** @source requirements.md GQ-24, CA-15 */
export const cacheHitDrop = shareGate({
  gate: "cache-hit-drop",
  condition: "cache_hit_drop",
  comparison: "difference",
  what: "cache misses",
  among: "lookups",
  unit: "points of hits lost",
  from: "`cacheLookups`, `cacheHits`",
  eventField: "cache",
  healthy: 0.3,
  limits: { promote: 0.05, stop: 0.15, minSamples: 300 },
  advice: {
    means: "finds less in its cache than stable",
    lookAt: "warm-up of its namespace and what its keys contain",
  },
  count: ({ counters: { cacheLookups, cacheHits = 0 } }) =>
    cacheLookups === undefined ? null : { failures: cacheLookups - cacheHits, total: cacheLookups },
});

/** @source requirements.md GQ-29 (page 003) */
export const dedupeMiss = shareGate({
  gate: "dedupe-miss",
  condition: "dedupe_miss",
  comparison: "absolute",
  what: "repeated deliveries let through",
  among: "repeated deliveries",
  unit: "share of repeated deliveries",
  from: "`repeatDeliveries`, `suppressedDeliveries`",
  healthy: 0.0001,
  limits: { promote: 0.001, stop: 0.01, minSamples: 300 },
  advice: { means: "lets repeated deliveries through", lookAt: "the idempotency keys of the write paths" },
  count: ({ counters: { repeatDeliveries, suppressedDeliveries = 0 } }) =>
    repeatDeliveries === undefined
      ? null
      : { failures: repeatDeliveries - suppressedDeliveries, total: repeatDeliveries },
});
