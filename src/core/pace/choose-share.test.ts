import { describe, expect, it } from "vitest";
import { aPlan, aPreset, gatesOf } from "../../../test/builders.ts";
import { planPace } from "../../spec/pace-document.ts";
import { isTrafficGate } from "../judge/gates.ts";
import { forecastRollout } from "../forecast/rollout.ts";
import { stagesOfPace } from "../stage/pace.ts";
import { brokenBounds, chooseAmong, type IsExcluded } from "./choose-share.ts";
import { courseOf, trafficPath } from "./path.ts";

const { pace, ladder } = planPace();
const gates = gatesOf(aPreset("default")).filter(({ gate }) => isTrafficGate(gate));
const plan = aPlan({ gates, pace, stages: stagesOfPace(ladder, true) });
const assumed = (requestsPerSecond: number) => ({ requestsPerSecond, failureRate: 0.005, latencySigma: 0.5 });
const nothing: IsExcluded = () => false;
const everything: IsExcluded = () => true;

/** Percent of the stage chosen; null for none. */
function chosen(from: { at: number; isProven: boolean }, rps: number, isExcluded: IsExcluded): number | null {
  const index = plan.stages.findIndex((stage) => stage.kind === "traffic" && stage.candidateBp === from.at * 100);
  const place = { index, candidateBp: from.at * 100, isProven: from.isProven };
  const choice = chooseAmong(plan, pace, place, assumed(rps), isExcluded);
  const stage = choice?.stageIndex == null ? undefined : plan.stages[choice.stageIndex];
  return stage?.kind === "traffic" ? stage.candidateBp / 100 : null;
}

describe("chooseAmong", () => {
  it.each([
    [1, 15],
    [10, 10],
    [100, 2],
    [1_000, 0.3],
  ])("gives a service with %i requests/s the share of %f %% before anything is proven", (rps, percent) => {
    expect(chosen({ at: 0.1, isProven: false }, rps, nothing)).toBe(percent);
  });

  it("goes no further without a proof, however little traffic there is", () => {
    expect(chosen({ at: 10, isProven: false }, 10, nothing)).toBeNull();
    expect(chosen({ at: 1, isProven: false }, 1, everything)).toBeNull();
  });

  it("takes what is proven at most five times as far, and to the last share where nothing is open", () => {
    expect(chosen({ at: 0.3, isProven: true }, 1_000, everything)).toBe(1);
    expect(chosen({ at: 10, isProven: true }, 1_000, everything)).toBe(50);
    expect(chosen({ at: 50, isProven: true }, 1_000, everything)).toBeNull();
  });

  it("holds a proven share where what is not excluded would harm more users than the bound, and says whom", () => {
    const isDeadExcluded: IsExcluded = (severity) => severity === "dead";
    const at = plan.stages.findIndex((stage) => stage.kind === "traffic" && stage.candidateBp === 3_000);
    const from = { index: at, candidateBp: 3_000, isProven: true };
    const choice = chooseAmong(plan, pace, from, assumed(10_000), isDeadExcluded);
    expect(choice).toMatchObject({ stageIndex: null, needsProof: true });
    expect(choice?.text).toMatch(
      /^30 % → 50 %: at 10000 requests\/s .* users before the stop, and at most 2000 are allowed$/,
    );
  });

  it("expects more harm from more traffic: the share never grows with the rate", () => {
    const shares = [0.5, 2, 5, 20, 50, 200, 500, 2_000].map(
      (rps) => chosen({ at: 0.1, isProven: false }, rps, nothing) ?? 0.1,
    );
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
  });
});

describe("the course of a healthy rollout", () => {
  it("stands at the smallest share until the traffic is measured, and asks probes where margins tighten", () => {
    const course = courseOf(plan, assumed(10)).map(({ stage }) =>
      stage.kind === "traffic" ? stage.candidateBp / 100 : stage.kind === "probes" ? stage.tier : "watch",
    );
    expect(course).toEqual(["full", 0.1, "smoke", 10, "smoke", 50, "full", "watch"]);
    expect(trafficPath(plan, assumed(10)).map(({ isProven }) => isProven)).toEqual([false, true, true]);
  });

  it("waits where a share proves too little for the bounds, until tighter margins of a higher one are proven", () => {
    const busy = trafficPath(plan, assumed(1_000));
    const percents = busy.map(({ stage }) => stage.candidateBp / 100);
    const waits = busy.map(({ waitsFor }) => (waitsFor === null ? null : waitsFor.candidateBp / 100));
    expect(percents).toEqual([0.1, 0.3, 1, 5, 15, 50]);
    expect(waits).toEqual([null, null, 10, 10, null, null]);
    expect(brokenBounds(plan, pace, assumed(1_000), busy.at(-1)?.index)).toEqual([]);
    // The soak of an hour is most of it.
    expect(forecastRollout(plan, assumed(1_000)).to100S?.expected).toBeGreaterThan(3_600);
    expect(forecastRollout(plan, assumed(1_000)).to100S?.expected).toBeLessThan(5_400);
  });

  it("names a bound that the smallest share breaks, and one that ends the way early", () => {
    const tight = { ...pace, harm: { ...pace.harm, dead: 1 } };
    expect(brokenBounds({ ...plan, pace: tight }, tight, assumed(10), undefined)).toEqual([
      "at 10 requests/s the smallest share of 0.1 % breaks a bound: a dead release would reach about 3 users before the stop, and at most 1 are allowed",
    ]);
    const slow = { ...pace, harm: { ...pace.harm, fourfoldErrors: 20 } };
    const early = { ...plan, pace: slow };
    const last = trafficPath(early, { ...assumed(10), failureRate: 0.0005 }).at(-1);
    expect(brokenBounds(early, slow, { ...assumed(10), failureRate: 0.0005 }, last?.index)).toEqual([
      expect.stringMatching(/^at 10 requests\/s no share above [0-9.]+ % keeps the bounds, so a person would be asked/),
    ]);
    expect(brokenBounds(plan, pace, assumed(10), trafficPath(plan, assumed(10)).at(-1)?.index)).toEqual([]);
  });
});
