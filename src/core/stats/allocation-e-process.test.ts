import { describe, expect, it } from "vitest";
import { eventsToProof, foldAllocation, NO_ALLOCATIONS } from "./allocation-e-process.ts";
import { randomStream } from "./random.ts";

function after(arms: readonly ("stable" | "candidate")[], share: number) {
  return arms.reduce((state, arm) => foldAllocation(state, arm, share), NO_ALLOCATIONS);
}

describe("the allocation e-process", () => {
  it("bets the average over eight odds ratios: 2 of 2 events at 1 % are worth about 1 300", () => {
    // Nine tenths of the policy's 1 433, and what the reserve pays out in two steps.
    expect(Math.exp(after(["candidate", "candidate"], 0.01).logE)).toBeCloseTo(1_310, -2);
  });

  it.each([
    [0.01, 2],
    [0.05, 3],
    [0.1, 4],
    [0.25, 6],
    [0.5, 12],
  ])("needs at a share of %f %i events on the candidate and none on stable for 1/0.001", (share, events) => {
    expect(eventsToProof(share, 0.001)).toBe(events);
  });

  it("has expectation 1 under the null: the two outcomes, weighted by the share, keep the capital", () => {
    let state = NO_ALLOCATIONS;
    const random = randomStream(3);
    for (let index = 0; index < 200; index++) {
      const share = 0.01 + 0.98 * random();
      const mean =
        share * Math.exp(foldAllocation(state, "candidate", share).logE) +
        (1 - share) * Math.exp(foldAllocation(state, "stable", share).logE);
      expect(mean / Math.exp(state.logE)).toBeCloseTo(1, 9);
      state = foldAllocation(state, random() < share ? "candidate" : "stable", share);
    }
  });

  it("bets nothing where the arm is known: shares 0 and 1 change no state", () => {
    expect(foldAllocation(NO_ALLOCATIONS, "candidate", 1)).toBe(NO_ALLOCATIONS);
    expect(foldAllocation(NO_ALLOCATIONS, "stable", 0)).toBe(NO_ALLOCATIONS);
  });

  it("crosses 1/0.05 in at most 5 % of 2 000 streams of 500 events under the null", () => {
    let crossed = 0;
    for (let seed = 0; seed < 2_000; seed++) {
      const random = randomStream(seed);
      let state = NO_ALLOCATIONS;
      let isCrossed = false;
      for (let event = 0; event < 500 && !isCrossed; event++) {
        state = foldAllocation(state, random() < 0.1 ? "candidate" : "stable", 0.1);
        isCrossed = state.logE >= Math.log(20);
      }
      if (isCrossed) crossed++;
    }
    expect(crossed / 2_000).toBeLessThanOrEqual(0.05);
    expect(crossed).toBeGreaterThan(0);
  });

  it("finds harm that begins after 1 000 healthy events within 90 more at 10 % and odds of 5 by the median", () => {
    const found = Array.from({ length: 100 }, (_, seed) => {
      const random = randomStream(seed + 9_000);
      let state = NO_ALLOCATIONS;
      for (let event = 0; event < 1_000; event++)
        state = foldAllocation(state, random() < 0.1 ? "candidate" : "stable", 0.1);
      let events = 0;
      while (state.logE < Math.log(1_000) && events < 500) {
        state = foldAllocation(state, random() < 0.5 / 1.4 ? "candidate" : "stable", 0.1);
        events++;
      }
      return events;
    }).sort((a, b) => a - b);
    expect(found[50]).toBeLessThanOrEqual(90);
  });
});
