import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { timestampMs } from "./timestamp.ts";

const LAST_4_DIGIT_YEAR = Date.parse("9999-12-31T23:59:59.999Z");

describe("timestampMs", () => {
  it("reads every time the way Date does, in UTC and with an offset", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: LAST_4_DIGIT_YEAR - 86_400_000 }),
        fc.integer({ min: -14 * 60, max: 14 * 60 }),
        (ms, offsetMinutes) => {
          const sign = offsetMinutes < 0 ? "-" : "+";
          const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60];
          const offset = `${sign}${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
          const local = new Date(ms).toISOString().replace("Z", offset);
          expect(timestampMs(new Date(ms).toISOString())).toBe(ms);
          const expected = Date.parse(local);
          expect(timestampMs(local)).toEqual(expected < 0 ? Number.NaN : expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ["2025-08-28T04:00:00Z", "2025-08-28T04:00:00Z"],
    ["2025-08-28t04:00:00z", "2025-08-28T04:00:00Z"],
    ["2025-08-28 04:00:00.5Z", "2025-08-28T04:00:00.500Z"],
    ["2025-08-28T04:00:00,123456789Z", "2025-08-28T04:00:00.123Z"],
    ["2025-08-28T04:00Z", "2025-08-28T04:00:00Z"],
    ["2025-08-28T04:00:00+0200", "2025-08-28T02:00:00Z"],
    ["2025-08-28T04:00:00-03", "2025-08-28T07:00:00Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"],
  ])("reads %s", (text, same) => {
    expect(timestampMs(text)).toBe(Date.parse(same));
  });

  it.each([
    ["no zone", "2025-08-28T04:00:00"],
    ["a date", "2025-08-28"],
    ["a day that does not exist", "2025-02-29T00:00:00Z"],
    ["month 13", "2025-13-01T00:00:00Z"],
    ["hour 25", "2025-08-28T25:00:00Z"],
    ["something behind the zone", "2025-08-28T04:00:00Z "],
    ["a point without digits", "2025-08-28T04:00:00.Z"],
    ["a text", "yesterday"],
    ["nothing", ""],
    ["a time before 1970", "1969-12-31T23:59:59Z"],
    ["a number beyond nanoseconds", 1e19],
    ["a negative number as text", "-1"],
    ["a negative number", -1],
    ["an infinite number", Number.POSITIVE_INFINITY],
    ["null", null],
    ["absent", undefined],
  ])("refuses %s", (_, value) => {
    expect(timestampMs(value)).toBeNaN();
  });

  it.each([
    ["seconds", 1_756_353_600],
    ["seconds with a fraction", 1_756_353_600.25],
    ["milliseconds", 1_756_353_600_250],
    ["microseconds", 1_756_353_600_250_000],
    ["nanoseconds", 1_756_353_600_250_000_000],
  ])("takes a number for %s by its size, as text too", (_, value) => {
    const expected = Number.isInteger(value / 100) && value < 1e10 ? 1_756_353_600_000 : 1_756_353_600_250;
    expect(timestampMs(value)).toBeCloseTo(expected, 0);
    expect(timestampMs(String(value))).toBe(timestampMs(value));
  });

  it("takes a number for epoch milliseconds", () => {
    expect([timestampMs(1_756_353_600_250), timestampMs(0)]).toEqual([1_756_353_600_250, 0]);
  });
});
