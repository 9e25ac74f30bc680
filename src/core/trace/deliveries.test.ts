import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Deliveries } from "./deliveries.ts";

describe("Deliveries", () => {
  it("knows an event by its id and its time together", () => {
    const id = fc.oneof(
      fc.constantFrom("", "a", "ab", "ab\u0000", "aB", "żółw", "żółwi"),
      fc.string({ unit: "binary" }),
    );
    const atMs = fc.oneof(fc.constantFrom(0, 1, 1_756_339_200_000, 1_756_339_200_000.125), fc.nat());
    fc.assert(
      fc.property(fc.array(fc.tuple(id, atMs), { maxLength: 60 }), (events) => {
        const deliveries = new Deliveries();
        const seen = new Set<string>();
        for (const [text, time] of events) {
          const key = JSON.stringify([text, time]);
          expect(deliveries.isRepeated(text, time)).toBe(seen.has(key));
          seen.add(key);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("tells characters wider than a byte from the bytes that they would be in pairs", () => {
    const deliveries = new Deliveries();
    for (const id of ["\u0100\u0000\u0000\u0000", "\u0000\u0001\u0000\u0000", "\u0000\u0000\u0100\u0000"])
      expect([deliveries.isRepeated(id, 0), deliveries.isRepeated(id, 0)]).toEqual([false, true]);
  });

  it("remembers at least the last 65 536 and tells 300 000 others from each other", () => {
    const deliveries = new Deliveries();
    let [isTakenForOther, isForgotten] = [0, 0];
    for (let i = 0; i < 300_000; i++) {
      if (deliveries.isRepeated(`request-${i}`, 0)) isTakenForOther++;
      if (i % 1_000 === 999 && !deliveries.isRepeated(`request-${Math.max(0, i - 65_535)}`, 0)) isForgotten++;
    }
    expect([isTakenForOther, isForgotten]).toEqual([0, 0]);
  });
});
