import { describe, expect, it } from "vitest";
import { expectedEventShare, lnEventsOnCandidate, lnSampleRatioMismatch } from "./count-e-process.ts";
import { randomStream } from "./random.ts";

describe("event counts", () => {
  it("expect 5 % of the events at a share of 5 %, and 2/21 when twice the rate is tolerated", () => {
    expect(expectedEventShare(0.05, 1)).toBeCloseTo(0.05, 15);
    expect(expectedEventShare(0.05, 2)).toBeCloseTo(0.1 / 1.05, 15);
  });

  it("give by hand for 1 of 1 events on the candidate at a null share of 1/2: the mean share above it over it, 3/2", () => {
    expect(Math.exp(lnEventsOnCandidate({ events: 1, onCandidate: 1 }, 0.5))).toBeCloseTo(1.5, 12);
    expect(Math.exp(lnEventsOnCandidate({ events: 0, onCandidate: 0 }, 0.5))).toBeCloseTo(1, 12);
  });

  it("prove three events of three on a candidate with 1 % of the traffic, at alpha 0.001", () => {
    expect(lnEventsOnCandidate({ events: 3, onCandidate: 3 }, 0.01)).toBeGreaterThan(Math.log(1000));
    expect(lnEventsOnCandidate({ events: 3, onCandidate: 3 }, 0.5)).toBeLessThan(Math.log(20));
  });

  it("are a martingale at the null share", () => {
    const at = (events: number, onCandidate: number): number => lnEventsOnCandidate({ events, onCandidate }, 0.1);
    const [up, down] = [at(41, 8) - at(40, 7), at(41, 7) - at(40, 7)];
    expect(0.1 * Math.exp(up) + 0.9 * Math.exp(down)).toBeCloseTo(1, 9);
  });

  it("stay finite when hundreds of events all fall on the candidate", () => {
    expect(lnEventsOnCandidate({ events: 5000, onCandidate: 5000 }, 0.01)).toBeGreaterThan(20_000);
  });
});

describe("sample-ratio mismatch", () => {
  it("gives by hand for one unit each at even shares and concentration 2: (1/6) / (1/4) = 2/3", () => {
    expect(Math.exp(lnSampleRatioMismatch([1, 1], [0.5, 0.5], 2))).toBeCloseTo(2 / 3, 12);
  });

  it("sees 5 % of the units where 10 % were planned, and not 10.2 %", () => {
    expect(lnSampleRatioMismatch([9_500, 500], [0.9, 0.1])).toBeGreaterThan(Math.log(1000));
    expect(lnSampleRatioMismatch([8_980, 1_020], [0.9, 0.1])).toBeLessThan(0);
  });

  it("raises a false alarm at any of 2000 units in at most 5 % of runs", () => {
    let alarms = 0;
    for (let run = 0; run < 200; run++) {
      const next = randomStream(run);
      const counts = [0, 0];
      for (let unit = 0; unit < 2000; unit++) {
        const arm = next() < 0.1 ? 1 : 0;
        counts[arm] = (counts[arm] ?? 0) + 1;
        if (unit % 5 === 0 && lnSampleRatioMismatch(counts, [0.9, 0.1]) >= Math.log(20)) {
          alarms++;
          break;
        }
      }
    }
    expect(alarms).toBeLessThanOrEqual(10);
  });

  it("refuses shares that do not sum to 1", () => {
    expect(() => lnSampleRatioMismatch([1, 1], [0.5, 0.4])).toThrow(/sum to 1/);
  });
});
