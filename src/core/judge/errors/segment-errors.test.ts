import { describe, expect, it } from "vitest";
import { aBlock, aGate } from "../../../../test/builders.ts";
import type { HarmedSegment } from "../../by-unit/segment-evidence.ts";
import { UnitEvidence } from "../../by-unit/unit-evidence.ts";
import { bp } from "../../unit.ts";
import type { StageView } from "../block.ts";
import { foldEvidence, isHarmProven, judgeTraffic, startEvidence } from "../engine.ts";

const gates = [aGate("segment-errors", { alpha: 0.001, beta: 0.02, onNoData: "hold" })];
const evidence = foldEvidence(startEvidence(gates), aBlock(10, { requests: 900 }, { requests: 100 }), gates);

function harmed(label: string, logE: number, rates: { stable: number; candidate: number }): HarmedSegment {
  const units = { stable: 1, candidate: 7 };
  const difference = {
    estimate: rates.candidate - rates.stable,
    standardError: 0.01,
    variances: { stable: 0, candidate: 0.0001 },
    rates,
    units,
    failing: units,
  };
  return { label, logE, units, difference: { ...difference, designEffect: 1 } };
}

interface Seen {
  readonly size?: number;
  readonly isAnswered?: boolean;
  /** ln of the sum before the rates are compared; that of the harmed ones where nothing is said. */
  readonly logE?: number;
  readonly harmed?: readonly HarmedSegment[];
}

function viewOf({ size = 3, isAnswered = true, harmed = [], ...seen }: Seen = {}): StageView {
  const logE = seen.logE ?? Math.log(harmed.reduce((sum, one) => sum + Math.exp(one.logE), 0));
  const units = new UnitEvidence();
  Object.defineProperty(units, "segments", { value: { size, isAnswered, logE, harmed: () => harmed } });
  return { kind: "traffic", candidateBp: bp(1_000), heldMs: 0, holdMs: 0, units };
}

const verdict = (seen: Seen) => judgeTraffic(evidence, viewOf(seen), gates)[0];
const isStopped = (seen: Seen) => isHarmProven(evidence, viewOf(seen), gates);
const SICK = { stable: 0.01, candidate: 0.5 };

describe("segment-errors", () => {
  it("is no data before a segment is told apart, and before the candidate answered a user of one", () => {
    const { units: _, ...alone } = viewOf();
    expect(judgeTraffic(evidence, alone, gates)[0]).toMatchObject({
      kind: "no-data",
      reason: "no gateway has told segments apart yet",
    });
    expect(isHarmProven(evidence, alone, gates)).toBe(false);
    expect(verdict({ size: 0 })).toMatchObject({ kind: "no-data", needs: "traffic of users through a gateway" });
    expect(verdict({ isAnswered: false })).toMatchObject({
      kind: "no-data",
      needs: "requests that the candidate answers",
    });
  });

  it("passes where no segment is harmed, and where what there is of it is chance beyond 2 %", () => {
    expect(verdict({})).toMatchObject({
      kind: "pass",
      estimate: 0,
      eValue: 1,
      samples: { stable: 900, candidate: 100 },
      reason: "none of 3 segments fails more than chance allows",
    });
    expect(verdict({ harmed: [harmed("tenant=a", Math.log(49), SICK)] })).toMatchObject({ kind: "pass" });
  });

  it("holds between 2 % and alpha, and stops at alpha, exactly", () => {
    const at = (e: number) => ({ harmed: [harmed("tenant=a", Math.log(e), SICK)] });
    expect(verdict(at(51))).toMatchObject({
      kind: "inconclusive",
      segment: "tenant=a",
      estimate: 0.49,
      reason: "tenant=a fails 50.00 % against 1.00 % on stable (7 and 1 users failed), of 3 segments: may be chance",
      needs: "more users of tenant=a; look at their errors",
    });
    expect([verdict(at(999))?.kind, isStopped(at(999))]).toEqual(["inconclusive", false]);
    expect([verdict(at(1_000.001)), isStopped(at(1_000.001))]).toMatchObject([
      { kind: "fail", segment: "tenant=a", alpha: 0.001, threshold: 0, needs: null },
      true,
    ]);
  });

  it("adds the segments up, and stops only on those whose rates differ as well", () => {
    const halves = [harmed("tenant=a", Math.log(501), SICK), harmed("locale=de", Math.log(501), SICK)];
    expect([verdict({ harmed: halves })?.kind, isStopped({ harmed: halves })]).toEqual(["fail", true]);
    expect(isStopped({ logE: Math.log(5_000), harmed: halves.slice(1) })).toBe(false);
    expect(isStopped({ logE: Math.log(900), harmed: halves })).toBe(false);
  });

  it("names the segment that fails most where the same users make several", () => {
    const wide = harmed("locale=de", Math.log(9_000), { stable: 0, candidate: 0.2 });
    const narrow = harmed("tenant=a", Math.log(8_000), { stable: 0, candidate: 1 });
    const found = verdict({ harmed: [wide, narrow] });
    expect(found).toMatchObject({ kind: "fail", segment: "tenant=a", estimate: 1 });
    expect(found?.reason).toMatch(/^tenant=a fails 100.00 % .*; locale=de fails 20.00 % /);
  });
});
