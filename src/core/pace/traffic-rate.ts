import type { Block } from "../judge/block.ts";
import type { EpochMs } from "../unit.ts";

/** How much traffic a service has, and how often stable fails. As plain JSON, folded from blocks. */
export interface TrafficRate {
  /** Since when `requests` are counted; null before the first block. */
  readonly sinceMs: EpochMs | null;
  /** Requests of both arms. */
  readonly requests: number;
  /** The stretch before this one, so that the rate is never one of a few seconds. */
  readonly before: { readonly sinceMs: EpochMs; readonly requests: number } | null;
  /** What stable answered since the rollout began. */
  readonly stable: { readonly total: number; readonly failures: number };
}

export const NO_TRAFFIC: TrafficRate = {
  sinceMs: null,
  requests: 0,
  before: null,
  stable: { total: 0, failures: 0 },
};

const STRETCH_MS = 60_000;
/** Fewer requests or a shorter time are no rate. */
const LEAST_REQUESTS = 20;
const LEAST_MS = 10_000;

/** The rate after one more block; blocks of several gateways add up. */
export function foldRate(rate: TrafficRate, { arms, endMs, spanMs }: Block): TrafficRate {
  const startMs = (endMs - spanMs) as EpochMs;
  const more = arms.stable.requestsAll + arms.candidate.requestsAll;
  const stable = {
    total: rate.stable.total + arms.stable.requests,
    failures: rate.stable.failures + arms.stable.failures,
  };
  if (rate.sinceMs === null) return { sinceMs: startMs, requests: more, before: null, stable };
  if (endMs - rate.sinceMs < STRETCH_MS) return { ...rate, requests: rate.requests + more, stable };
  const before = { sinceMs: rate.sinceMs, requests: rate.requests };
  return { sinceMs: startMs, requests: more, before, stable };
}

/** Requests a second of both arms in the last one to two minutes; null until there is enough to say. */
export function requestsPerSecond({ sinceMs, requests, before }: TrafficRate, at: EpochMs): number | null {
  const since = before?.sinceMs ?? sinceMs;
  const seen = requests + (before?.requests ?? 0);
  if (since === null || at - since < LEAST_MS || seen < LEAST_REQUESTS) return null;
  return seen / ((at - since) / 1_000);
}

/** Share of stable's requests that fail, with half a failure added so that none seen is not none ever. */
export function stableFailureRate({ stable }: TrafficRate): number {
  return (stable.failures + 0.5) / (stable.total + 1);
}
