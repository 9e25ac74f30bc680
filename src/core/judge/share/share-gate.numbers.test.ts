import { describe, expect, it } from "vitest";
import { aBlock } from "../../../../test/builders.ts";
import { verdictOf } from "../../../../test/verdict-of.ts";
import { lnBetaBinomial } from "../../stats/beta-binomial.ts";
import type { Verdict } from "../../verdict.ts";
import type { ArmWindow } from "../../window/window.ts";
import type { Block } from "../block.ts";
import { type GateName, type GateOptions, gateNamed } from "../gates.ts";
import { TUNED_FOR } from "./needs.ts";

type LimitOptions = GateOptions["five-xx-abs"];

const OPTIONS: LimitOptions = {
  mode: "literal",
  promote: 0.01,
  stop: 0.02,
  alpha: 0.001,
  beta: 0.05,
  minSamples: 100,
  onNoData: "hold",
};
const SEQUENTIAL: LimitOptions = { ...OPTIONS, mode: "sequential" };

function judged(name: GateName, options: Partial<LimitOptions>, ...blocks: readonly Block[]): Verdict {
  return verdictOf(gateNamed(name), { ...OPTIONS, ...options }, 10, blocks);
}

const served = (failures: number, requests: number): Partial<ArmWindow> => ({
  requests,
  failures,
  classes: failures === 0 ? {} : { "headers|5xx|503": failures },
});
const counted = (percent: number, stable: readonly [number, number], candidate: readonly [number, number]) =>
  aBlock(percent, served(...stable), served(...candidate));
const NONE = [0, 0] as const;

describe("the estimate of a share gate", () => {
  it("is the candidate's own share where it stands alone, with its Wilson interval", () => {
    const verdict = judged("five-xx-abs", {}, counted(10, [900, 1_000], [4, 200]));
    expect(verdict).toMatchObject({ kind: "inconclusive", estimate: 0.02, alpha: null, eValue: null, threshold: 0.01 });
    expect(verdict.interval?.[0]).toBeCloseTo(0.00689, 5);
    expect(verdict.interval?.[1]).toBeCloseTo(0.056634, 5);
    expect(verdict.reason).toContain("2.00 % 5xx answers of 200 candidate requests: over 1.00 %");
  });

  it("is the difference in points where it is compared, with an interval of at least 95 %", () => {
    const verdict = judged("five-xx-delta", { stop: 0.05 }, counted(10, [10, 1_000], [4, 200]));
    expect(verdict.estimate).toBeCloseTo(0.01, 12);
    expect(verdict.interval?.[0]).toBeCloseTo(-0.013009, 6);
    expect(verdict.interval?.[1]).toBeCloseTo(0.051633, 6);
    expect(verdict.reason).toContain(
      "2.00 % 5xx answers of 200 candidate requests against 1.00 % on stable (1.00 points)",
    );
    expect(judged("five-xx-delta", {}, counted(10, NONE, [4, 200])).interval).toBeNull();
  });

  it("is a multiple without an interval for a ratio, and no number where stable has none", () => {
    const ratio = { promote: 1.2, stop: null };
    const twice = judged("error-rate-rel", ratio, counted(10, [10, 1_000], [4, 200]));
    expect(twice).toMatchObject({ kind: "inconclusive", estimate: 2, interval: null });
    expect(twice.reason).toContain("against 1.00 % on stable (2.00x): over 1.20x");
    const none = judged("error-rate-rel", ratio, counted(10, [0, 1_000], [4, 200]));
    expect(none).toMatchObject({ kind: "inconclusive", estimate: null });
    expect(none.reason).toContain("(stable has none)");
  });

  it("is taken from the share in force for a comparison and in literal mode, else from the whole rollout", () => {
    const story = [counted(5, [0, 500], [50, 500]), counted(10, [0, 500], [0, 200]), counted(5, NONE, [9, 9])];
    expect(judged("five-xx-abs", {}, ...story)).toMatchObject({ estimate: 0, samples: { candidate: 200 } });
    expect(judged("five-xx-delta", SEQUENTIAL, ...story)).toMatchObject({ estimate: 0, samples: { stable: 500 } });
    expect(judged("five-xx-abs", SEQUENTIAL, ...story).samples).toEqual({ stable: 1_000, candidate: 709 });
  });

  it("keeps its last word at 100 %, where nothing is left to compare with, and goes on where it stands alone", () => {
    const story = [counted(50, [0, 500], [5, 500]), counted(100, NONE, [500, 500])];
    expect(judged("five-xx-delta", {}, ...story).estimate).toBeCloseTo(0.01, 12);
    expect(judged("five-xx-abs", {}, ...story).estimate).toBe(1);
    const flip = [counted(100, NONE, [500, 500])];
    expect(judged("five-xx-delta", {}, ...flip).samples).toEqual({ stable: 0, candidate: 500 });
  });
});

describe("the limits of a share gate", () => {
  it("hold on fewer requests than asked for of any arm that is compared, and say how many are missing", () => {
    expect(judged("five-xx-abs", {}, counted(10, NONE, [0, 100])).kind).toBe("pass");
    expect(judged("five-xx-abs", {}, counted(10, NONE, [0, 99])).needs).toBe("1 more candidate requests");
    expect(judged("five-xx-delta", {}, counted(10, [0, 100], [0, 100])).kind).toBe("pass");
    expect(judged("five-xx-delta", {}, counted(10, [0, 70], [0, 100])).needs).toBe("30 more candidate requests");
    expect(judged("five-xx-delta", {}, counted(10, [0, 99], [99, 100])).kind).toBe("inconclusive");
    expect(judged("five-xx-delta", {}, counted(10, [0, 100], [99, 100])).kind).toBe("fail");
  });

  it("never stop without a stop limit, in either mode", () => {
    for (const mode of ["literal", "sequential"] as const) {
      expect(judged("five-xx-abs", { mode, stop: null }, counted(10, [0, 500], [500, 500])).kind).toBe("inconclusive");
      expect(judged("five-xx-abs", { mode, stop: null }, counted(10, [0, 500], [0, 500])).kind).toBe("pass");
      expect(judged("five-xx-delta", { mode, stop: null }, counted(10, [0, 500], [0, 500])).kind).toBe("pass");
    }
  });

  it("stop sequentially only where harm is proven and the estimate lies beyond the limit", () => {
    const [clear, slight] = [counted(10, [0, 5_000], [400, 5_000]), counted(10, [0, 50_000], [500, 50_000])];
    expect(judged("five-xx-delta", SEQUENTIAL, clear)).toMatchObject({ kind: "fail", threshold: 0.02, alpha: 0.001 });
    expect(judged("five-xx-delta", SEQUENTIAL, clear).reason).toContain("beyond the stop limit of 2.00 points");
    expect(judged("five-xx-delta", SEQUENTIAL, slight).kind).not.toBe("fail"); // Worse for certain, by 1 point.
    expect(judged("five-xx-delta", SEQUENTIAL, counted(10, [0, 20], [1, 20])).kind).toBe("inconclusive");
  });

  it("pass sequentially only once harm beyond the stop limit is excluded, as a difference and alone", () => {
    const few = judged("five-xx-delta", SEQUENTIAL, counted(10, [0, 120], [0, 120]));
    expect(few).toMatchObject({ kind: "inconclusive", needs: "more candidate requests" });
    expect(few.reason).toContain("harm beyond 2.00 points is not excluded yet");
    const many = Array<Block>(30).fill(counted(10, [0, 120], [0, 120]));
    expect(judged("five-xx-delta", SEQUENTIAL, ...many).kind).toBe("pass");
    expect(judged("five-xx-abs", SEQUENTIAL, counted(10, NONE, [0, 120])).kind).toBe("inconclusive");
    expect(judged("five-xx-abs", SEQUENTIAL, counted(10, NONE, [0, 2_000])).kind).toBe("pass");
  });

  it("state the e-value of the test that decides: against the limit where an arm stands alone", () => {
    const verdict = judged("five-xx-abs", SEQUENTIAL, counted(10, NONE, [30, 1_000]));
    const design = { samples: TUNED_FOR, alpha: 0.001 };
    const logE = lnBetaBinomial({ successes: 30, total: 1_000 }, 0.02, design, "above");
    expect(verdict.eValue).toBeCloseTo(Math.exp(logE), 9);
    expect(judged("five-xx-abs", { ...SEQUENTIAL, stop: null }, counted(10, NONE, [30, 1_000])).eValue).toBe(1);
  });

  it("say whether nothing was reported or nothing happened", () => {
    const looked = { counters: { cacheLookups: 0, cacheHits: 0 } };
    expect(judged("cache-hit-drop", {}, aBlock(10, {}, {})).reason).toBe(
      "nothing reports cache misses of the candidate",
    );
    expect(judged("cache-hit-drop", {}, aBlock(10, {}, looked), aBlock(10, {}, {})).reason).toBe(
      "no lookups on the candidate yet",
    );
    expect(judged("five-xx-abs", {}, aBlock(10, served(0, 9), {}))).toMatchObject({ kind: "no-data", estimate: null });
  });
});

describe("what a share gate counts", () => {
  /** Stable has looked up everything it asked for, so that a difference is the candidate's own share. */
  const countOf = (gate: GateName, arm: Partial<ArmWindow>) =>
    judged(gate, {}, aBlock(10, { counters: { cacheLookups: 9, cacheHits: 9 } }, arm));

  it.each([
    ["error-rate-abs", { requests: 9, failures: 4, classes: { "body|network|cut": 3, "headers|5xx|502": 1 } }, [4, 9]],
    ["five-xx-abs", { requests: 9, failures: 4, classes: { "body|network|cut": 1, "headers|5xx|502": 3 } }, [3, 9]],
    ["cold-share", { requests: 9, warm: [700, 4, 800, 2], cold: [900, 3] }, [3, 9]],
    ["cache-hit-drop", { counters: { cacheLookups: 9, cacheHits: 5 } }, [4, 9]],
    ["cache-hit-drop", { counters: { cacheLookups: 9 } }, [9, 9]],
    ["dedupe-miss", { counters: { repeatDeliveries: 9, suppressedDeliveries: 8 } }, [1, 9]],
    ["dedupe-miss", { counters: { repeatDeliveries: 9 } }, [9, 9]],
  ] as const)("%s of %j", (gate, arm, [failures, total]) => {
    const { estimate, samples } = countOf(gate, arm);
    expect([estimate, samples.candidate]).toEqual([failures / total, total]);
  });

  it("tells silence from zero", () => {
    expect(countOf("cache-hit-drop", { counters: { cacheHits: 5 } }).reason).toContain("nothing reports");
    expect(countOf("dedupe-miss", { counters: {} }).reason).toContain("nothing reports");
    expect(countOf("cold-share", {}).reason).toBe("no answers on the candidate yet");
  });
});
