import { askWarm } from "./warm-up.ts";

/** How fast users ask in a demo. */
export interface Demand {
  readonly requestsPerSecond: number;
  /** How many times longer evidence takes to come in than at the demo's own rate; 1 on a machine that keeps up. */
  readonly slowness: number;
}

/** How fast users ask where the machine keeps up. @source decision policy, "Preset demo": its holds are made for it */
const REQUESTS_PER_SECOND = 200;
const REQUESTS_PER_SECOND_MIN = 40;
/** A request costs the generator, the gateway and a second service as much as the service that was measured. */
const SPARE = 3;
const MEASURED = 600;
const AT_ONCE = 100;

/** The rate that leaves a machine room to breathe, given the requests a second one service answered at its limit. */
export function demandFor(answeredPerSecond: number): Demand {
  const kept = Math.floor(answeredPerSecond / SPARE);
  const requestsPerSecond = Math.min(REQUESTS_PER_SECOND, Math.max(REQUESTS_PER_SECOND_MIN, kept));
  return { requestsPerSecond, slowness: REQUESTS_PER_SECOND / requestsPerSecond };
}

/**
 * Asks a warm service as fast as it answers. Users that ask faster than a busy machine can answer queue up without end,
 * and the demo would show that machine and no release.
 */
export async function measureDemand(answerUrl: string): Promise<Demand> {
  const began = performance.now();
  await askWarm(answerUrl, { requests: MEASURED, atOnce: AT_ONCE });
  return demandFor(MEASURED / ((performance.now() - began) / 1_000));
}
