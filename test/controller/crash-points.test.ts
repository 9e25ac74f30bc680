import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/core/stats/random.ts";
import { check, live, STORIES, type Story } from "./crash-story.ts";
import type { Life } from "./life.ts";
import { POINTS } from "./life.ts";
import { memoryPlace } from "./places.ts";

const MEMORY = memoryPlace();

describe("a controller that dies at any point", () => {
  for (const story of STORIES) {
    it(`I6, I7, I10: carries ${story.name} to its end after one death at every point`, {
      timeout: 120_000,
    }, async () => {
      const { lives } = await live(story, [], MEMORY);
      const [whole] = lives as [Life];
      for (const point of POINTS) expect(whole.seen.get(point) ?? 0, point).toBeGreaterThan(0);
      for (let dieAt = 1; dieAt <= whole.passed; dieAt++) await check(story, [dieAt], MEMORY);
      if (process.env["SLUICE_TEST_TALK"]) console.info(`${story.name}: ${whole.passed} points, one death each`);
    });

    it(`I20: ends ${story.name} after up to 5 deaths at seeded points, 40 times`, { timeout: 120_000 }, async () => {
      const random = randomStream(story.name.length);
      for (let run = 0; run < 40; run++) {
        await check(
          story,
          Array.from({ length: 1 + Math.floor(random() * 5) }, () => 1 + Math.floor(random() * 30)),
          MEMORY,
        );
      }
    });
  }

  it("is caught by the check when it forgets which order published a document", async () => {
    const [healthy] = STORIES as [Story];
    const { lives } = await live(healthy, [], MEMORY);
    let caught = 0;
    for (let dieAt = 1; dieAt <= (lives[0]?.passed ?? 0); dieAt++) {
      await check(healthy, [dieAt], MEMORY, true).catch((error: unknown) => {
        if (String(error).includes("published twice")) caught++;
      });
    }
    expect(caught).toBeGreaterThan(0);
  });
});
