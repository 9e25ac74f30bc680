import { describe, expect, it } from "vitest";
import { ALL_NAMES, type UnitName } from "../assign/unit-name.ts";
import { UnitTable } from "./unit-table.ts";

const asked = (table: UnitTable, name: number, arm: "stable" | "candidate") =>
  table.record({ name: name as UnitName, arm, share: 0.2, requests: 3, failures: 0, warm: 3, slow: 0 });

describe("the users an arm answered", () => {
  it("count once however often they ask, and on both arms where a rising share moved them", () => {
    const table = new UnitTable();
    for (const name of [1, 2, 3, 3]) asked(table, name, "stable");
    for (const name of [3, 4, 4]) asked(table, name, "candidate");
    expect([table.unitsOf("stable"), table.unitsOf("candidate")]).toEqual([3, 2]);
  });

  it("are estimated from those that fit, once there are more than the table holds", () => {
    const table = new UnitTable(100);
    for (let user = 0; user < 1_000; user++) asked(table, Math.floor((user * ALL_NAMES) / 1_000), "candidate");
    expect(table.isComplete).toBe(false);
    expect(Math.abs(table.unitsOf("candidate") - 1_000)).toBeLessThan(50);
  });
});
