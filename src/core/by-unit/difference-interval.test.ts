import { describe, expect, it } from "vitest";
import type { UnitName } from "../assign/unit-name.ts";
import { drawCrowd, type Population } from "../rehearsal/population.ts";
import { randomStream } from "../stats/random.ts";
import { clusterDifference, differenceInterval } from "./cluster-difference.ts";
import { UnitTable } from "./unit-table.ts";

const RUNS = 240;
const LOOK_EVERY_S = 30;
const SECONDS = 120;

/** Part of the intervals, over all looks that show one, which hold the true difference. */
function coverage(population: Population, share: number, difference: number): { held: number; looks: number } {
  let [held, looks] = [0, 0];
  for (let seed = 1; seed <= RUNS; seed++) {
    const [crowd, table] = [drawCrowd(population, randomStream(seed)), new UnitTable()];
    for (let atS = 1; atS <= SECONDS; atS++) {
      for (const { person, arm, failed } of crowd.second(share, atS))
        table.record({ name: person.name, arm, share, requests: 1, failures: failed ? 1 : 0, warm: 0, slow: 0 });
      if (atS % LOOK_EVERY_S !== 0) continue;
      const found = clusterDifference(table, "failures");
      const interval = found === null ? null : differenceInterval(found);
      if (interval === null) continue;
      looks++;
      if (interval[0] <= difference && difference <= interval[1]) held++;
    }
  }
  return { held: held / looks, looks };
}

const CROWD = { users: 1_500, zipf: 0.8, requestsPerSecond: 40 };
/** One user in six fails a third of its requests, the others 1 %; the candidate adds `more` to all. */
const follows = (more: number): Population => ({
  ...CROWD,
  trait: (random) => (random() < 1 / 6 ? 0.33 : 0.01),
  failure: ({ trait }, arm) => trait + (arm === "candidate" ? more : 0),
});
const whole: Population = { ...CROWD, trait: (random) => (random() < 0.15 ? 1 : 0), failure: ({ trait }) => trait };
const busy: Population = { ...CROWD, zipf: 1.2, trait: () => 0, failure: () => 0.08 };

describe("the interval of a difference over users", () => {
  it.each([
    ["failures that follow users", follows(0), 0.5, 0],
    ["the same, at 25 %", { ...follows(0), users: 3_000, requestsPerSecond: 60 }, 0.25, 0],
    ["two points more on the candidate", follows(0.02), 0.5, 0.02],
    ["users who fail wholly or not at all", whole, 0.5, 0],
    ["users who fail alike and come unequally", busy, 0.5, 0],
  ] as const)("holds the truth in 94 % of the looks at least: %s", (_name, population, share, difference) => {
    const { held, looks } = coverage(population, share, difference);
    expect(looks).toBeGreaterThan(RUNS);
    expect(held).toBeGreaterThanOrEqual(0.94);
  });

  it("is not shown while either arm has fewer than 40 users who failed, however many requests failed", () => {
    const table = new UnitTable();
    const add = (name: number, arm: "stable" | "candidate", failures: number) =>
      table.record({ name: name as UnitName, arm, share: 0.5, requests: 50, failures, warm: 0, slow: 0 });
    for (let name = 0; name < 400; name++) add(name, "stable", name < 40 ? 1 : 0);
    for (let name = 400; name < 800; name++) add(name, "candidate", name < 439 ? 50 : 0);
    const before = clusterDifference(table, "failures");
    expect(before === null ? undefined : differenceInterval(before)).toBeNull();
    add(799, "candidate", 1);
    const after = clusterDifference(table, "failures");
    expect(after === null ? null : differenceInterval(after)).not.toBeNull();
  });
});
