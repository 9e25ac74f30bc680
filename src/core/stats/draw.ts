import type { RandomStream } from "./random.ts";

/** Standard normal value. @source G. E. P. Box, M. E. Muller, Annals of Mathematical Statistics 29 (1958) 610-611 */
export function standardNormal(random: RandomStream): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Poisson count: by inversion for small means, by the normal approximation above 60 where its error is below 1 %. */
export function poissonCount(mean: number, random: RandomStream): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * standardNormal(random)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}
