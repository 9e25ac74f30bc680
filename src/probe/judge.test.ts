import { describe, expect, it } from "vitest";
import type { Vector } from "../core/measure/cosine.ts";
import type { Embedder } from "../ports/embedder.ts";
import { createJudge } from "./judge.ts";

const signal = new AbortController().signal;
/** A fake embedder that gives these vectors for texts "0", "1", … */
const fake = (vectors: readonly Vector[]): Embedder => ({
  id: "fake",
  embed: (texts) => Promise.resolve(vectors.filter((_, index) => texts.includes(String(index)))),
});

describe("createJudge", () => {
  it.each([
    ["NaN", [Number.NaN, 1]],
    ["Infinity", [1, Number.POSITIVE_INFINITY]],
    ["another length than the first", [1, 2, 3]],
    ["no vector at all", null],
  ])("rejects what is no embedding (%s) as a failed conversation, so that no distance comes of it", async (_, odd) => {
    const judge = createJudge(fake(odd === null ? [[1, 0]] : [[1, 0], odd]));
    const failed = judge.prepare(["0", "1"], signal);
    await expect(failed).rejects.toMatchObject({ name: "DriverError", code: "rejected", retry: "never" });
    await expect(failed).rejects.toThrow(/embedder fake: /);
  });

  it("rejects a vector whose length differs from the ones of an earlier call", async () => {
    const judge = createJudge(
      fake([
        [1, 0],
        [1, 0, 0],
      ]),
    );
    await judge.prepare(["0"], signal);
    await expect(judge.prepare(["1"], signal)).rejects.toMatchObject({ code: "rejected" });
  });
});
