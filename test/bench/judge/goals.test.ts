import { describe, expect, it } from "vitest";
import { standardError, summarise } from "../../../bench/judge/cell.mjs";
import { goalsOf } from "../../../bench/judge/goals.mjs";
import { OURS } from "../../../bench/judge/policies.mjs";

interface Goal {
  readonly against: string;
  readonly goal: string;
  readonly met: boolean;
  readonly explained: string | null;
}

/** 200 runs: so many abort at `atS`, so many promote, the rest hold; `exposed` requests each. */
function aCell(row: string, policy: string, abort: number, promote: number, atS = 100, exposed = 50) {
  const outcomes = Array.from({ length: 200 }, (_, run) => {
    const outcome = run < abort ? "abort" : run < abort + promote ? "promote" : "hold";
    return { outcome, decidedAtS: outcome === "hold" ? null : atS, exposed };
  });
  return summarise({ row, policy }, outcomes);
}

const missed = (row: string, truth: string, cells: readonly unknown[]): readonly Goal[] =>
  goalsOf({ id: row, truth }, cells, standardError).filter(({ met }: Goal) => !met);

describe("a cell", () => {
  it("gives shares with their standard error, the median and p95 of decided runs, and what was exposed", () => {
    expect(aCell("aa@10", OURS, 20, 160, 300, 70)).toMatchObject({
      abort: 0.1,
      promote: 0.8,
      medianS: 300,
      p95S: 300,
      medianAbortS: 300,
      exposed: 70,
    });
    expect(standardError(0.1, 200)).toBeCloseTo(0.0212, 4);
    expect(standardError(0, 200)).toBeGreaterThan(0);
    expect(aCell("aa@10", OURS, 0, 0)).toMatchObject({ medianS: null, medianAbortS: null });
  });
});

describe("goals", () => {
  it("are met by equal figures, and set none for a borderline candidate", () => {
    const cells = [aCell("errors-5@10", OURS, 200, 0), aCell("errors-5@10", "flagger tuned", 200, 0)];
    expect(missed("errors-5@10", "harmful", cells)).toEqual([]);
    expect(goalsOf({ id: "errors-5@10", truth: "borderline" }, cells, standardError)).toEqual([]);
  });

  it("are missed by stops of a healthy candidate beyond 1 % and 2 standard errors, without an explanation", () => {
    const few = [aCell("aa@10", OURS, 3, 197), aCell("aa@10", "argo tuned", 0, 200)];
    expect(missed("aa@10", "healthy", few)).toEqual([]);
    const many = [aCell("aa@10", OURS, 12, 188), aCell("aa@10", "argo tuned", 0, 200)];
    expect(missed("aa@10", "healthy", many).map(({ against, explained }) => [against, explained])).toEqual([
      ["its promise", null],
      ["argo tuned", null],
    ]);
  });

  it("call a promotion false where nothing is measured, and a hold never", () => {
    expect(missed("missing@10", "blind", [aCell("missing@10", OURS, 0, 0)])).toEqual([]);
    expect(missed("missing@10", "blind", [aCell("missing@10", OURS, 0, 200)])).toHaveLength(1);
  });

  it("are missed by finding harm later, unless the row's explanation is borne out by fewer requests exposed", () => {
    const peer = aCell("errors-5@10", "flagger tuned", 200, 0, 360, 368);
    const fewer = missed("errors-5@10", "harmful", [aCell("errors-5@10", OURS, 200, 0, 1_400, 128), peer]);
    expect(fewer.map(({ goal }) => goal)).toEqual(["harm found as fast"]);
    expect(fewer[0]?.explained).toContain("fewer requests");
    const more = missed("errors-5@10", "harmful", [aCell("errors-5@10", OURS, 200, 0, 1_400, 400), peer]);
    expect(more[0]?.explained).toBeNull();
  });

  it("are explained by our small first share only where ours is as fast on the peer's own shares", () => {
    const row = "errors-5@10";
    const cells = [aCell(row, OURS, 200, 0, 1_400, 400), aCell(row, "flagger tuned", 200, 0, 360, 368)];
    const explained = (onItsShares: ReturnType<typeof aCell>) =>
      missed(row, "harmful", [...cells, onItsShares]).map((goal) => goal.explained);
    expect(explained(aCell(row, "sluice on flagger's shares", 200, 0, 130))[0]).toContain("own shares");
    expect(explained(aCell(row, "sluice on flagger's shares", 200, 0, 361))).toEqual([null]);
    expect(explained(aCell(row, "sluice on flagger's shares", 99, 0, 130))).toEqual([null]);
    expect(explained(aCell(row, "sluice on argo's shares", 200, 0, 130))).toEqual([null]);
  });

  it("leave false verdicts unexplained on every row, also where slowness would be explained", () => {
    for (const row of ["errors-1@10", "ar1-own-25@100"]) {
      const truth = row.startsWith("errors") ? "harmful" : "healthy";
      const wrong = truth === "harmful" ? aCell(row, OURS, 150, 50) : aCell(row, OURS, 200, 0);
      const right = truth === "harmful" ? aCell(row, "argo tuned", 200, 0) : aCell(row, "argo tuned", 0, 200);
      const verdicts = missed(row, truth, [wrong, right]).filter(({ goal }) => goal.includes("false"));
      expect(verdicts.map(({ explained }) => explained)).toEqual([null, null]);
    }
  });

  it("are missed when ours does not find what a peer finds in half of its runs", () => {
    const cells = [aCell("errors-50@10", OURS, 60, 0), aCell("errors-50@10", "flagger tuned", 100, 0)];
    expect(missed("errors-50@10", "harmful", cells).map(({ goal }) => goal)).toEqual(["harm found as fast"]);
    const peerMisses = [aCell("errors-50@10", OURS, 60, 0), aCell("errors-50@10", "flagger tuned", 99, 101)];
    expect(missed("errors-50@10", "harmful", peerMisses)).toEqual([]);
  });
});
