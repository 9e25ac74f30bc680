import { describe, expect, it } from "vitest";
import { SmallTurns } from "./small-turns.ts";

describe("SmallTurns", () => {
  it("does every task in order, 16 between two turns of others, those that came meanwhile included", async () => {
    const turns = new SmallTurns();
    const done: number[] = [];
    for (let at = 0; at < 40; at++) {
      turns.add(() => {
        done.push(at);
        if (at === 39) turns.add(() => done.push(40));
      });
    }
    const seen: number[] = [];
    while (done.length < 41) {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(done.length);
    }
    expect(seen).toEqual([16, 32, 40, 41]);
    expect(done).toEqual(Array.from({ length: 41 }, (_none, at) => at));
    turns.add(() => done.push(41));
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toHaveLength(42);
  });
});
