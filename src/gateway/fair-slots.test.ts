import { describe, expect, it } from "vitest";
import { FairSlots, type SlotTaker } from "./fair-slots.ts";

describe("FairSlots.expire", () => {
  it("tells at most so many at once, the longest waiting first, and never one that waits for less than that", () => {
    const slots = new FairSlots(2, 100);
    const gone: number[] = [];
    const taker = (waitsSinceMs: number): SlotTaker => {
      const self: SlotTaker = {
        waitsSinceMs,
        run: () => {},
        giveUp: () => {
          gone.push(waitsSinceMs);
          slots.leave(self, "a");
        },
      };
      return self;
    };
    expect(slots.take(taker(0), "a")).toBe("run");
    for (let since = 1; since <= 20; since++) expect(slots.take(taker(since), "a")).toBe("wait");
    expect([slots.expire(13, 8), gone]).toEqual([8, [1, 2, 3, 4, 5, 6, 7, 8]]);
    expect([slots.expire(13, 8), gone.slice(8)]).toEqual([4, [9, 10, 11, 12]]);
    expect([slots.expire(13, 8), slots.held]).toEqual([0, 9]);
  });
});
