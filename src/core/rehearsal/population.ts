import { assert } from "../assert.ts";
import type { ServingArm } from "../arm.ts";
import { type UnitName, unitName } from "../assign/unit-name.ts";
import { poissonCount } from "../stats/draw.ts";
import type { SegmentLabel } from "../routing/segments.ts";
import type { RandomStream } from "../stats/random.ts";

/** One user of a rehearsal. */
interface Person {
  /** Bucket hash, drawn anew for each run, as a new salt would. */
  readonly hash: number;
  readonly name: UnitName;
  /** The user's own liability to fail or to be slow; what it means is the population's. */
  readonly trait: number;
  /** Position by activity, 0 for the busiest. */
  readonly rank: number;
}

/** How users come and what they meet. Times in seconds since the rehearsal began. */
export interface Population {
  readonly users: number;
  /** Exponent of Zipf's law of activity: 0 for equal users, 0.8 for a web service's. */
  readonly zipf: number;
  readonly requestsPerSecond: number;
  /** Draws each user's trait. */
  readonly trait: (random: RandomStream, rank: number) => number;
  /** Probability that a request of a user fails. */
  readonly failure: (person: Person, arm: ServingArm, atS: number) => number;
  /** Total latency of an answer; absent: 60 ms for everybody. */
  readonly latencyMs?: (person: Person, arm: ServingArm, atS: number, random: RandomStream) => number;
  /** How often a user of this arm comes back, beside stable's; 1 when absent. */
  readonly returns?: (arm: ServingArm) => number;
  /** Segments of a user's requests; absent: none are told apart. */
  readonly segments?: (person: Person) => readonly SegmentLabel[];
}

/** One request of a rehearsal's second. */
export interface PersonRequest {
  readonly person: Person;
  readonly arm: ServingArm;
  readonly failed: boolean;
  readonly latencyMs: number;
}

/** The users of one run. */
export interface Crowd {
  /** Names units in windows, as a generation's bucket seed does. */
  readonly key: number;
  /** The requests of one second, in order. */
  second(share: number, atS: number): readonly PersonRequest[];
}

/** Draws the users of a run: same stream, same crowd. */
export function drawCrowd(population: Population, random: RandomStream): Crowd {
  const { users, zipf, requestsPerSecond, trait, failure } = population;
  assert(users >= 1 && requestsPerSecond > 0, `a population has users and requests: ${users}, ${requestsPerSecond}`);
  const key = Math.floor(random() * 2 ** 32);
  const cumulative = new Float64Array(users);
  let total = 0;
  const people = Array.from({ length: users }, (_, rank): Person => {
    total += (rank + 1) ** -zipf;
    cumulative[rank] = total;
    const hash = Math.floor(random() * 2 ** 32);
    return { hash, name: unitName(hash, key), trait: trait(random, rank), rank };
  });
  const latencyMs = population.latencyMs ?? (() => 60);
  const returns = population.returns ?? (() => 1);
  const most = Math.max(1, returns("stable"), returns("candidate"));
  return {
    key,
    second(share, atS) {
      const threshold = share * 2 ** 32;
      const requests: PersonRequest[] = [];
      const count = poissonCount(requestsPerSecond * most, random);
      for (let index = 0; index < count; index++) {
        const person = people[firstAtLeast(cumulative, random() * total)] as Person;
        const arm = person.hash < threshold ? "candidate" : "stable";
        if (random() * most >= returns(arm)) continue;
        const failed = random() < failure(person, arm, atS);
        requests.push({ person, arm, failed, latencyMs: latencyMs(person, arm, atS, random) });
      }
      return requests;
    },
  };
}

function firstAtLeast(cumulative: Float64Array, value: number): number {
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cumulative[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
