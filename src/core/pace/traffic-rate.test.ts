import { describe, expect, it } from "vitest";
import { aBlock, after } from "../../../test/builders.ts";
import { foldRate, NO_TRAFFIC, requestsPerSecond, stableFailureRate } from "./traffic-rate.ts";

/** Blocks of one second that end at 1, 2, … */
const seconds = (count: number, requests: number, from = NO_TRAFFIC, first = 1) =>
  Array.from({ length: count }, (_, index) => aBlock(10, { requests }, {}, first + index)).reduce(foldRate, from);

describe("the rate of traffic", () => {
  it("is unknown for ten seconds, and while there are too few requests to say", () => {
    expect(requestsPerSecond(NO_TRAFFIC, after(60_000))).toBeNull();
    expect(requestsPerSecond(seconds(9, 100), after(9_000))).toBeNull();
    expect(requestsPerSecond(seconds(15, 1), after(15_000))).toBeNull();
    expect(requestsPerSecond(seconds(15, 10), after(15_000))).toBeCloseTo(10, 6);
  });

  it("adds gateways up, counts silence, and forgets what is older than two minutes", () => {
    const twice = seconds(20, 10, seconds(20, 10));
    expect(requestsPerSecond(twice, after(20_000))).toBeCloseTo(20, 6);
    expect(requestsPerSecond(seconds(20, 10), after(40_000))).toBeCloseTo(5, 6);
    const fallen = seconds(180, 1, seconds(600, 100), 601);
    expect(requestsPerSecond(fallen, after(780_000))).toBeCloseTo(1, 1);
  });

  it("takes no failure seen for few, not for none", () => {
    expect(stableFailureRate(seconds(10, 10))).toBeCloseTo(0.5 / 101, 9);
  });
});
