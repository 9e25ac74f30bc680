import { describe, expect, it } from "vitest";
import { HOURS_OF_HISTORY, peakRate } from "./peak-rate.ts";

const NOW = 500_000;
const week = (requestsAt: (hour: number) => number, hours = HOURS_OF_HISTORY) =>
  Array.from({ length: hours }, (_, index) => ({ hour: NOW - hours + index, requests: requestsAt(index % 24) }));

describe("peakRate", () => {
  it("is p90 of seven days of hourly rates: 4 busy hours of 24 are peak hours", () => {
    const counts = week((hour) => (hour >= 10 && hour < 14 ? 36_000 : 3_600));
    expect(peakRate(counts, NOW)).toBe(10);
    expect(
      peakRate(
        week((hour) => (hour === 12 ? 36_000 : 3_600)),
        NOW,
      ),
    ).toBe(1);
  });

  it("is not known before seven days are, and counts a silent hour as one without requests", () => {
    expect(peakRate([], NOW)).toBeNull();
    expect(
      peakRate(
        week(() => 3_600, HOURS_OF_HISTORY - 1),
        NOW,
      ),
    ).toBeNull();
    const onlyFirst = [{ hour: NOW - HOURS_OF_HISTORY, requests: 3_600 }];
    expect(peakRate(onlyFirst, NOW)).toBe(0);
  });

  it("leaves out the hour that is going on and everything older than a week", () => {
    const counts = [...week(() => 3_600), { hour: NOW, requests: 1e9 }, { hour: NOW - 1_000, requests: 1e9 }];
    expect(peakRate(counts, NOW)).toBe(1);
  });
});
