import { describe, expect, it } from "vitest";
import type { UnitName } from "../assign/unit-name.ts";
import { randomStream } from "../stats/random.ts";
import { UnitTable } from "./unit-table.ts";

const ARMS = ["stable", "candidate"] as const;
const MEASURES = ["failures", "slow"] as const;
const sumsOf = (table: UnitTable) =>
  ARMS.flatMap((arm) => MEASURES.map((measure) => ({ arm, measure, ...table.sums(arm, measure) })));

/** Units that come again and again, more of them than the table keeps. */
function busyTable(seed: number): UnitTable {
  const random = randomStream(seed);
  const table = new UnitTable(64);
  for (let round = 0; round < 4_000; round++) {
    const [requests, warm] = [Math.floor(random() * 9), Math.floor(random() * 9)];
    table.record({
      name: Math.floor(random() ** 2 * 2 ** 30) as UnitName,
      arm: random() < 0.3 ? "candidate" : "stable",
      share: 0.3,
      requests,
      failures: Math.floor(random() * (requests + 1)),
      warm,
      slow: Math.floor(random() * (warm + 1)),
    });
  }
  return table;
}

describe("what the units of an arm add up to", () => {
  it.each([1, 2, 3])("is, after thousands of changes, what a table read from its record adds up to", (seed) => {
    const table = busyTable(seed);
    expect(table.size).toBeGreaterThan(20);
    const anew = new UnitTable(64, table.snapshot());
    for (const { arm, measure, ...sums } of sumsOf(table)) {
      const wanted = Object.entries(anew.sums(arm, measure)).map(([name, sum]) => [name, expect.closeTo(sum, 8)]);
      expect(sums).toEqual(Object.fromEntries(wanted));
    }
  });

  it("is nothing again once every unit is forgotten", () => {
    const table = busyTable(4);
    table.keepBelow(0);
    for (const { arm, measure, ...sums } of sumsOf(table)) {
      expect([arm, measure, ...Object.values(sums)]).toEqual([arm, measure, 0, 0, 0, 0, 0, 0, 0]);
      expect(table.tells(measure)).toBe(false);
    }
  });
});
