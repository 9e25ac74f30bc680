import type { Scenario } from "./scenario.ts";
import type { Outcome } from "./simulate.ts";

/** Runs that a shrinking may take. */
const TRIES_MAX = 80;

/** A scenario that still breaks the same law, with as little in it as was found. */
export interface Shrunk {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  readonly tries: number;
}

/** Every scenario with one thing less, the largest steps first. */
function smaller(scenario: Scenario): readonly Scenario[] {
  const { faults, orders, planes, noise, untilMs } = scenario;
  const without = <T>(list: readonly T[], at: number) => list.filter((_, index) => index !== at);
  const halves = <T>(list: readonly T[]) =>
    list.length < 4 ? [] : [list.slice(0, list.length / 2), list.slice(list.length / 2)];
  const isNoisy = noise.loss + noise.duplicates + noise.delayMs > 0;
  return [
    ...(untilMs > 2_000 ? [{ ...scenario, untilMs: Math.round(untilMs / 2) }] : []),
    ...(isNoisy ? [{ ...scenario, noise: { loss: 0, duplicates: 0, delayMs: 0 } }] : []),
    ...halves(faults).map((half) => ({ ...scenario, faults: half })),
    ...(planes.length > 1 ? [{ ...scenario, planes: planes.slice(0, -1) }] : []),
    ...faults.map((_, at) => ({ ...scenario, faults: without(faults, at) })),
    ...orders.map((_, at) => ({ ...scenario, orders: without(orders, at) })),
  ];
}

/**
 * Takes things out of a failing scenario one by one, as long as the same law is broken.
 * @param play as `simulate` does
 */
export async function shrink(
  failing: Scenario,
  found: Outcome,
  play: (scenario: Scenario) => Promise<Outcome>,
): Promise<Shrunk> {
  let [scenario, outcome, tries] = [failing, found, 0];
  for (let isSmaller = true; isSmaller && tries < TRIES_MAX; ) {
    isSmaller = false;
    for (const candidate of smaller(scenario)) {
      if (++tries > TRIES_MAX) break;
      const tried = await play(candidate);
      if (tried.violation?.law !== outcome.violation?.law) continue;
      [scenario, outcome, isSmaller] = [candidate, tried, true];
      break;
    }
  }
  return { scenario, outcome, tries };
}
