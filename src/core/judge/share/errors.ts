import { ANSWERS_5XX, ANSWERS_MORE_5XX, FAILS_REQUESTS, FAILS_TOO_MANY } from "../errors/advice.ts";
import { shareGate } from "./share-gate.ts";
import { errors, serverErrors } from "./share-measure.ts";

/** @source requirements.md GQ-20 (page 001) */
export const errorRateAbs = shareGate({
  gate: "error-rate-abs",
  condition: "error_rate_abs",
  comparison: "absolute",
  what: "errors",
  among: "candidate requests",
  unit: "share of requests",
  from: "gateway",
  limits: { promote: 0.005, stop: 0.01, minSamples: 600 },
  advice: FAILS_TOO_MANY,
  worst: "failures",
  count: errors,
});

/** @source requirements.md GQ-21 (page 002) */
export const errorRateRel = shareGate({
  gate: "error-rate-rel",
  condition: "error_rate_rel",
  comparison: "ratio",
  what: "errors",
  among: "candidate requests",
  unit: "multiple of stable's share",
  from: "gateway",
  limits: { promote: 1.2, stop: null, minSamples: 600 },
  advice: FAILS_REQUESTS,
  worst: "failures",
  count: errors,
});

/** @source requirements.md RB-3 (page 001) */
export const fiveXxAbs = shareGate({
  gate: "five-xx-abs",
  condition: "five_xx_abs",
  comparison: "absolute",
  what: "5xx answers",
  among: "candidate requests",
  unit: "share of requests",
  from: "gateway",
  limits: { promote: 0.005, stop: 0.01, minSamples: 600 },
  advice: ANSWERS_5XX,
  worst: "failures",
  count: serverErrors,
});

/** @source requirements.md GQ-22 (page 003) */
export const fiveXxDelta = shareGate({
  gate: "five-xx-delta",
  condition: "five_xx_delta",
  comparison: "difference",
  what: "5xx answers",
  among: "candidate requests",
  unit: "points over stable",
  from: "gateway",
  limits: { promote: 0.0005, stop: null, minSamples: 600 },
  advice: ANSWERS_MORE_5XX,
  worst: "failures",
  count: serverErrors,
});
