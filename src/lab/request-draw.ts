import type { FaultSet } from "./faults.ts";
import { seeded } from "./seeded.ts";

/** Chance decisions about one request. */
export interface RequestDraw {
  /** How long the model would take, milliseconds. */
  readonly modelMs: number;
  readonly isColdStart: boolean;
  /** `unavailable`: a 503. `cut`: the body ends before it is whole. */
  readonly failure: "unavailable" | "cut" | null;
  readonly breaksSchema: boolean;
  /** Seeds what varies between two runs of an unstable question, u32. */
  readonly unsteadySeed: number;
}

export interface ModelTime {
  /** Median, milliseconds. */
  readonly medianMs: number;
  /** Standard deviation of the logarithm. */
  readonly sigma: number;
}

/** A new process answers this many requests, half as slow again, before it is warm. */
export const COLD_REQUESTS = 20;
const COLD_FACTOR = 1.5;
const COLD_INSTANCE_FACTOR = 4;

/**
 * Draws for one service from its start. Every request takes the same number of draws whatever its fate, so that a seed
 * fixes the sequence, and a planted fault does not move the others.
 */
export function requestDraws(seed: number, faults: FaultSet, model: ModelTime): () => RequestDraw {
  const [time, chance] = [seeded(seed, "model-time"), seeded(seed, "request-faults")];
  const share = (name: "errors" | "new-error-class" | "schema-break" | "cold-start"): number => faults.get(name) ?? 0;
  let served = 0;
  return () => {
    const [unavailable, cut, schema, cold] = [chance.float(), chance.float(), chance.float(), chance.float()];
    const unsteadySeed = Math.floor(chance.float() * 2 ** 32);
    const isColdInstance = cold < share("cold-start");
    const isStarting = served++ < COLD_REQUESTS;
    const factor = isColdInstance ? COLD_INSTANCE_FACTOR : isStarting ? COLD_FACTOR : 1;
    const modelMs = model.medianMs * Math.exp(model.sigma * time.normal()) * (faults.get("slow") ?? 1) * factor;
    return {
      modelMs,
      isColdStart: isColdInstance || isStarting,
      failure: unavailable < share("errors") ? "unavailable" : cut < share("new-error-class") ? "cut" : null,
      breaksSchema: schema < share("schema-break"),
      unsteadySeed,
    };
  };
}
