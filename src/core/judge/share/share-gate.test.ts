import { describe, expect, it } from "vitest";
import { aBlock } from "../../../../test/builders.ts";
import { randomStream } from "../../stats/random.ts";
import { bp } from "../../unit.ts";
import type { Verdict } from "../../verdict.ts";
import type { Block, StageView } from "../block.ts";
import { foldEvidence, isHarmProven, judgeTraffic, startEvidence } from "../engine.ts";
import type { GateName, GateOptions } from "../gates.ts";
import { coldShare } from "./others.ts";

type LimitOptions = GateOptions["five-xx-abs"];

const at = (percent: number): StageView => ({ kind: "traffic", candidateBp: bp(percent * 100), heldMs: 0, holdMs: 0 });
const LIMITS: LimitOptions = {
  mode: "literal",
  promote: 0.005,
  stop: 0.01,
  alpha: 0.001,
  beta: 0.05,
  minSamples: 600,
  onNoData: "hold",
};

function judge(gate: GateName, options: LimitOptions, blocks: readonly Block[], percent = 10): Verdict | undefined {
  const settings = [{ gate, options: { ...options }, source: "test" }];
  const evidence = blocks.reduce((all, block) => foldEvidence(all, block, settings), startEvidence(settings));
  const [verdict] = judgeTraffic(evidence, at(percent), settings);
  expect(isHarmProven(evidence, at(percent), settings)).toBe(verdict?.kind === "fail");
  return verdict;
}

const served = (failures: number, requests = 1_000) => ({
  requests,
  failures,
  classes: failures === 0 ? {} : { "headers|5xx|503": failures },
});

describe("literal limits", () => {
  it.each([
    ["five-xx-abs", 5, "pass"],
    ["five-xx-abs", 6, "inconclusive"],
    ["five-xx-abs", 10, "inconclusive"],
    ["five-xx-abs", 11, "fail"],
    ["error-rate-abs", 5, "pass"],
    ["error-rate-abs", 11, "fail"],
  ] as const)(
    "GQ-20, RB-3: %s with %i of 1 000 is %s: at most 0.5 % promotes, over 1 % stops",
    (gate, failures, kind) => {
      expect(judge(gate, LIMITS, [aBlock(10, served(0), served(failures))])?.kind).toBe(kind);
    },
  );

  it("waits for 600 requests, however bad they look", () => {
    const verdict = judge("five-xx-abs", LIMITS, [aBlock(10, served(0), served(60, 599))]);
    expect(verdict).toMatchObject({ kind: "inconclusive", needs: "1 more candidate requests" });
  });

  it.each([
    [12, 10, "pass"],
    [13, 10, "inconclusive"],
    [0, 0, "pass"],
    [1, 0, "inconclusive"],
  ] as const)(
    "GQ-21: %i errors against %i of 1 000 is %s within 20 %% of control, and a zero baseline never passes",
    (own, stable, kind) => {
      const options = { ...LIMITS, promote: 1.2, stop: null };
      expect(judge("error-rate-rel", options, [aBlock(10, served(stable), served(own))])?.kind).toBe(kind);
    },
  );

  it("GQ-22: five-xx-delta stops beyond 0.05 points at one stage, and forgets the stage before", () => {
    const options = { ...LIMITS, promote: 0.0005, stop: 0.0005 };
    const worse = aBlock(5, served(0, 10_000), served(6, 10_000));
    expect(judge("five-xx-delta", options, [worse], 5)?.kind).toBe("fail");
    expect(judge("five-xx-delta", options, [worse, aBlock(25, served(0, 10_000), served(5, 10_000))], 25)?.kind).toBe(
      "pass",
    );
  });

  it("GQ-24: cache-hit-drop passes at 5 points lost and holds beyond; unreported lookups are no data", () => {
    const options = { ...LIMITS, promote: 0.05, stop: null };
    const looked = (hits: number) => ({ requests: 1, counters: { cacheLookups: 1_000, cacheHits: hits } });
    expect(judge("cache-hit-drop", options, [aBlock(25, looked(800), looked(750))], 25)?.kind).toBe("pass");
    expect(judge("cache-hit-drop", options, [aBlock(25, looked(800), looked(749))], 25)?.kind).toBe("inconclusive");
    expect(judge("cache-hit-drop", options, [aBlock(25, served(0), served(0))], 25)).toMatchObject({
      kind: "no-data",
      reason: "nothing reports cache misses of the candidate",
    });
  });

  it("GQ-29: dedupe-miss wants 99.9 % of repeated deliveries suppressed", () => {
    const options = { ...LIMITS, promote: 0.001, stop: 0.001 };
    const delivered = (suppressed: number) => ({
      counters: { repeatDeliveries: 10_000, suppressedDeliveries: suppressed },
    });
    expect(judge("dedupe-miss", options, [aBlock(10, {}, delivered(9_990))])?.kind).toBe("pass");
    expect(judge("dedupe-miss", options, [aBlock(10, {}, delivered(9_989))])?.kind).toBe("fail");
  });

  it("GQ-27, CW-5: cold-share holds above 5 % and never stops alone", () => {
    const options = { ...LIMITS, promote: 0.05, stop: null };
    const cold = (count: number) => ({ requests: 1_000, warm: [900, 1_000 - count], cold: [1_100, count] });
    expect(judge("cold-share", options, [aBlock(10, {}, cold(50))])?.kind).toBe("pass");
    expect(judge("cold-share", options, [aBlock(10, {}, cold(51))])?.kind).toBe("inconclusive");
    expect(judge("cold-share", options, [aBlock(10, {}, cold(900))])?.kind).toBe("inconclusive");
    const own = coldShare.optionsOf({});
    expect(judge("cold-share", own, [aBlock(10, {}, cold(50))])?.kind).toBe("pass");
    expect(judge("cold-share", own, [aBlock(10, {}, cold(51))])?.kind).toBe("inconclusive");
  });
});

describe("sequential limits", () => {
  const options: LimitOptions = { ...LIMITS, mode: "sequential", minSamples: 100 };
  const draw = (random: () => number, requests: number, rate: number) => {
    let failures = 0;
    for (let i = 0; i < requests; i++) if (random() < rate) failures++;
    return served(failures, requests);
  };
  const run = (seed: number, rates: readonly [number, number], seconds: number, gate: GateName, limits = options) => {
    const random = randomStream(seed);
    const settings = [{ gate, options: { ...limits }, source: "test" }];
    let evidence = startEvidence(settings);
    for (let second = 1; second <= seconds; second++) {
      evidence = foldEvidence(
        evidence,
        aBlock(10, draw(random, 90, rates[0]), draw(random, 10, rates[1]), second),
        settings,
      );
      if (isHarmProven(evidence, at(10), settings)) return "fail";
    }
    return judgeTraffic(evidence, at(10), settings)[0]?.kind;
  };
  const seeds = Array.from({ length: 60 }, (_, index) => index + 1);

  it("stop a candidate at 5 % errors in 60 of 60 runs of 20 minutes, and none at the limit of 1 % itself", () => {
    expect(seeds.filter((seed) => run(seed, [0.002, 0.05], 1_200, "five-xx-abs") === "fail")).toHaveLength(60);
    expect(seeds.filter((seed) => run(seed, [0.01, 0.01], 600, "five-xx-abs") === "fail").length).toBeLessThanOrEqual(
      1,
    );
  });

  it("pass a clean candidate once more than 1 % is excluded, and not before", () => {
    expect(run(1, [0.001, 0.0], 30, "five-xx-abs")).toBe("inconclusive");
    expect(run(1, [0.001, 0.0], 120, "five-xx-abs")).toBe("pass");
  });

  it("never stop two equal arms by a comparison in 60 runs of 10 minutes, looked at every second", () => {
    const delta = { ...options, promote: 0.0005, stop: 0.0005 };
    expect(seeds.filter((seed) => run(seed, [0.01, 0.01], 600, "five-xx-delta", delta) === "fail")).toHaveLength(0);
    const ratio = { ...options, promote: 1.2, stop: 1.2 };
    expect(seeds.filter((seed) => run(seed, [0.01, 0.01], 600, "error-rate-rel", ratio) === "fail")).toHaveLength(0);
  });

  it("stop errors that stable does not have at all, and never promote them", () => {
    const ratio = { ...options, promote: 1.2, stop: 1.2 };
    expect(run(3, [0, 0.03], 1_200, "error-rate-rel", ratio)).toBe("fail");
    for (const seconds of [5, 20, 60])
      expect(seeds.map((seed) => run(seed, [0, 0.03], seconds, "error-rate-rel", ratio))).not.toContain("pass");
  });
});
