import { describe, expect, it } from "vitest";
import { lnDiscordance, mcnemar } from "./mcnemar.ts";

describe("McNemar", () => {
  it("needs at least 5 discordant questions against 0, 7 against 1 or 10 against 3 for a one-sided p below 0.05", () => {
    expect(mcnemar({ lost: 5, gained: 0 }, "worse")).toBeCloseTo(1 / 32, 12);
    for (const [lost, gained] of [
      [5, 0],
      [7, 1],
      [10, 3],
    ] as const) {
      expect(mcnemar({ lost, gained }, "worse")).toBeLessThan(0.05);
      expect(mcnemar({ lost: lost - 1, gained }, "worse")).toBeGreaterThan(0.05);
    }
  });

  it("gives 9/256 for 7 against 1, twice that two-sided", () => {
    expect(mcnemar({ lost: 7, gained: 1 }, "worse")).toBeCloseTo(9 / 256, 12);
    expect(mcnemar({ lost: 7, gained: 1 }, "two-sided")).toBeCloseTo(18 / 256, 12);
    expect(mcnemar({ lost: 1, gained: 7 }, "two-sided")).toBeCloseTo(18 / 256, 12);
  });

  it("is 1 without discordant questions, two-sided 1 when balanced, and never above 1", () => {
    expect(mcnemar({ lost: 0, gained: 0 }, "worse")).toBe(1);
    expect(mcnemar({ lost: 4, gained: 4 }, "two-sided")).toBe(1);
    expect(mcnemar({ lost: 0, gained: 900 }, "worse")).toBeCloseTo(1, 12);
  });

  it("bounds the discordance e-value: 1 for none, falling with gains, above 20 for 9 lost and none gained", () => {
    expect(lnDiscordance({ lost: 0, gained: 0 })).toBeCloseTo(0, 12);
    expect(lnDiscordance({ lost: 9, gained: 0 })).toBeGreaterThan(Math.log(20));
    expect(lnDiscordance({ lost: 9, gained: 4 })).toBeLessThan(Math.log(20));
    for (const lost of [1, 3, 8, 20])
      expect(Math.exp(-lnDiscordance({ lost, gained: 0 }))).toBeGreaterThan(mcnemar({ lost, gained: 0 }, "worse"));
  });

  it("refuses negative or broken counts", () => {
    expect(() => mcnemar({ lost: -1, gained: 0 }, "worse")).toThrow(/>= 0/);
    expect(() => lnDiscordance({ lost: 0.5, gained: 0 })).toThrow(/integers/);
  });
});
