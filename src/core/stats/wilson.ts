import { assert } from "../assert.ts";
import type { CountBlock } from "./count-block.ts";

/**
 * Wilson score interval of a rate, for one look at a fixed sample.
 * @param failures count, integer 0..total
 * @param total count, integer >= 1; an empty sample is the caller's "no-data", not ours
 * @param z standard-normal quantile: 1.96 for two-sided 95 %, 1.645 for a one-sided 95 % bound
 * @returns [low, high], each in 0..1
 * @source E. B. Wilson, JASA 22 (1927) 209-212
 */
export function wilson(failures: number, total: number, z: number): readonly [low: number, high: number] {
  assert(Number.isInteger(failures) && Number.isInteger(total), `counts are integers: ${failures} of ${total}`);
  assert(
    failures >= 0 && total >= 1 && failures <= total,
    `0 <= failures <= total, total >= 1: ${failures} of ${total}`,
  );
  const share = failures / total;
  const spread = z * Math.sqrt((share * (1 - share) + (z * z) / (4 * total)) / total);
  const [centre, scale] = [share + (z * z) / (2 * total), 1 + (z * z) / total];
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
}

/** 97.5 % per arm, two-sided: both together give at least 95 % for a difference. */
export const EACH_ARM_Z = 2.2414;

/** Interval of candidate - stable at 95 % or more, from both arms' score intervals; null while an arm is empty. */
export function wilsonDifference({ stable, candidate }: CountBlock): readonly [low: number, high: number] | null {
  if (stable.total === 0 || candidate.total === 0) return null;
  const [stableLow, stableHigh] = wilson(stable.failures, stable.total, EACH_ARM_Z);
  const [low, high] = wilson(candidate.failures, candidate.total, EACH_ARM_Z);
  return [low - stableHigh, high - stableLow];
}
