import { describe, expect, it } from "vitest";
import { randomStream } from "../stats/random.ts";
import { ALL_NAMES, type UnitName, unitName } from "../assign/unit-name.ts";
import { UnitNames } from "./unit-names.ts";
import { shareOfUnit, UnitTable } from "./unit-table.ts";

const name = (value: number) => value as UnitName;

describe("a bounded set of units", () => {
  it("says once that a unit is new", () => {
    const units = new UnitNames();
    expect([units.add(name(7)), units.add(name(7)), units.add(name(8))]).toEqual(["new", "known", "new"]);
    expect(units.size).toBe(2);
  });

  it("holds at most its limit of 100 and forgets by name alone, so both arms keep the same part", () => {
    const units = new UnitNames(100);
    const random = randomStream(1);
    const hashes = Array.from({ length: 20_000 }, () => Math.floor(random() * 2 ** 32));
    for (const hash of hashes) {
      units.add(unitName(hash, 5));
      expect(units.size).toBeLessThanOrEqual(100);
    }
    const kept = (isOnCandidate: boolean) => {
      const arm = hashes.filter((hash) => hash < 0.3 * 2 ** 32 === isOnCandidate);
      return arm.filter((hash) => unitName(hash, 5) < units.below).length / arm.length;
    };
    expect(units.below).toBeLessThan(ALL_NAMES / 128);
    expect(kept(true) / kept(false)).toBeGreaterThan(0.5);
    expect(kept(true) / kept(false)).toBeLessThan(2);
    expect(units.dropped).toBeGreaterThan(19_000);
  });

  it("does not take a forgotten unit for new", () => {
    const units = new UnitNames(2);
    for (const value of [1, 2 ** 31 + 5, 3]) units.add(name(value));
    expect(units.add(name(2 ** 31 + 5))).toBe("dropped");
  });

  it("goes on from its snapshot", () => {
    const units = new UnitNames(2);
    for (const value of [1, 2 ** 31 + 5, 3]) units.add(name(value));
    const again = new UnitNames(2, JSON.parse(JSON.stringify(units.snapshot())));
    expect(again.snapshot()).toEqual(units.snapshot());
    expect(again.has(name(1))).toBe(true);
  });
});

describe("the name of a unit", () => {
  it("is one for one hash and key, another under another key, and a bijection of the hash", () => {
    expect(unitName(12_345, 1)).toBe(unitName(12_345, 1));
    expect(unitName(12_345, 1)).not.toBe(unitName(12_345, 2));
    const names = new Set(Array.from({ length: 100_000 }, (_, hash) => unitName(hash, 9)));
    expect(names.size).toBe(100_000);
  });

  it("is spread evenly within every tenth of the hash space: at most 6 % off over 100 cells of 1 000", () => {
    const random = randomStream(2);
    const cells = Array.from({ length: 100 }, () => 0);
    for (let draw = 0; draw < 100_000; draw++) {
      const hash = Math.floor(random() * 2 ** 32);
      const cell = Math.floor((hash / 2 ** 32) * 10) * 10 + Math.floor((unitName(hash, 77) / 2 ** 32) * 10);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const chi = cells.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
    expect(chi).toBeLessThan(149); // The 0.1 % point of chi-squared with 99 degrees of freedom.
  });
});

describe("a table of units", () => {
  it("narrows a unit's place by each request: stable at 5 % and candidate at 25 % leave 5 to 25 %", () => {
    const table = new UnitTable();
    const request = { name: name(3), requests: 1, failures: 0, warm: 0, slow: 0 };
    table.record({ ...request, arm: "stable", share: 0.05 });
    expect(shareOfUnit(table.placeOf(name(3)), 0.24)).toBeCloseTo(0.2);
    table.record({ ...request, arm: "candidate", share: 0.25 });
    expect(table.placeOf(name(3))).toEqual({ low: 0.05, high: 0.25 });
    expect(shareOfUnit(table.placeOf(name(3)), 0.15)).toBeCloseTo(0.5); // After a retreat to 15 %.
    expect(shareOfUnit(table.placeOf(name(3)), 0.05)).toBe(0);
    expect(shareOfUnit(table.placeOf(name(3)), 0.25)).toBe(1);
  });

  it("is complete until it drops a unit, and holds at most its limit", () => {
    const table = new UnitTable(10);
    const random = randomStream(4);
    for (let unit = 0; unit < 10; unit++)
      table.record({
        name: name(Math.floor(random() * 2 ** 32)),
        arm: "stable",
        share: 0.1,
        requests: 1,
        failures: 0,
        warm: 0,
        slow: 0,
      });
    expect(table.isComplete).toBe(true);
    for (let unit = 0; unit < 100; unit++)
      table.record({
        name: name(Math.floor(random() * 2 ** 32)),
        arm: "stable",
        share: 0.1,
        requests: 1,
        failures: 0,
        warm: 0,
        slow: 0,
      });
    expect(table.isComplete).toBe(false);
    expect(table.size).toBeLessThanOrEqual(10);
    const again = new UnitTable(10, JSON.parse(JSON.stringify(table.snapshot())));
    expect(again.snapshot()).toEqual(table.snapshot());
  });
});
