import { describe, expect, it } from "vitest";
import { ShortTurns } from "./short-turns.ts";

describe("turns of a process with many rollouts", () => {
  /** Runs so many pieces of 1 ms that come at once, and counts how many were done whenever others had a turn. */
  async function seen(pieces: number): Promise<readonly number[]> {
    let [nowMs, done] = [0, 0];
    const turns = new ShortTurns({ monoMs: () => nowMs, sleep: () => Promise.resolve() });
    const work = () => {
      [nowMs, done] = [nowMs + 1, done + 1];
      return Promise.resolve(done);
    };
    const all = Promise.all(Array.from({ length: pieces }, () => turns.run(work, (one) => one())));
    const counts = [done];
    while (done < pieces) {
      await new Promise((resolve) => setImmediate(resolve));
      counts.push(done);
    }
    expect(await all).toEqual(Array.from({ length: pieces }, (_, index) => index + 1));
    return counts;
  }

  it("end after five milliseconds of work, what is left is done in its order", async () => {
    const counts = await seen(23);
    const steps = counts.map((count, index) => count - (counts[index - 1] ?? 0));
    expect(Math.max(...steps)).toBe(5);
    expect(counts.at(-1)).toBe(23);
  });

  it("are not waited for by work that fits into one", async () => {
    expect(await seen(4)).toEqual([4]);
  });
});
