import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDurationMs, parseDurationMs } from "./duration.ts";

describe("durations", () => {
  it("reads h, m, s and ms, alone and descending", () => {
    expect(["12s", "1h30m", "250ms", "0s", "2m5s10ms"].map(parseDurationMs)).toEqual([
      12_000, 5_400_000, 250, 0, 125_010,
    ]);
  });

  it("refuses a bare number, a unit out of order, a sign, a fraction and a word", () => {
    for (const text of ["10", "30m1h", "5s5s", "-5s", "1.5h", "soon", "", " 5s", "5S", "123456s"]) {
      expect(parseDurationMs(text), text).toBeNull();
    }
  });

  it("reads back what it writes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 99_999 * 3_600_000 }),
        (ms) => parseDurationMs(formatDurationMs(ms)) === ms,
      ),
    );
  });
});
