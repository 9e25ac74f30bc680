import { describe, expect, it } from "vitest";
import { manualClock } from "../testing/manual-clock.ts";
import { PAUSE_MS, SmallTurns, TASKS_A_TURN } from "./small-turns.ts";

describe("SmallTurns", () => {
  it("does a lone task at once, and of many a turn after each pause, in order, those that came meanwhile included", async () => {
    const clock = manualClock();
    const turns = new SmallTurns(clock);
    const done: number[] = [];
    const last = 2 * TASKS_A_TURN;
    for (let at = 0; at <= last; at++) {
      turns.add(() => {
        done.push(at);
        if (at === last) turns.add(() => done.push(last + 1));
      });
    }
    const seen = [done.length];
    for (let turn = 0; turn < 3; turn++) {
      await clock.advance(PAUSE_MS);
      seen.push(done.length);
    }
    expect(seen).toEqual([1, 1 + TASKS_A_TURN, 1 + 2 * TASKS_A_TURN, 2 + 2 * TASKS_A_TURN]);
    expect(done).toEqual(done.map((_none, at) => at));
  });

  it("lets no second turn begin before the pause is over, whoever asks when the first has nothing left", async () => {
    const clock = manualClock();
    const turns = new SmallTurns(clock);
    let done = 0;
    for (let at = 0; at < 2; at++) turns.add(() => done++);
    expect(done).toBe(1);
    await clock.advance(PAUSE_MS);
    expect(done).toBe(2);
    await clock.advance(PAUSE_MS);
    turns.add(() => done++);
    expect(done).toBe(3);
  });
});
