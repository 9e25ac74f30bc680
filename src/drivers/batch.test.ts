import { describe, expect, it } from "vitest";
import { createBatch } from "./batch.ts";
import { shardOf } from "./fence/shard.ts";

/** Records every batch and answers when told. */
function aRunner() {
  const batches: { questions: readonly number[]; answer(): void; fail(error: Error): void }[] = [];
  const run = (questions: readonly number[]) =>
    new Promise<readonly number[]>((resolve, reject) => {
      batches.push({ questions, answer: () => resolve(questions.map((question) => question * 10)), fail: reject });
    });
  return { batches, run };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("createBatch", () => {
  it("asks everything of one turn at once and answers each question with its own answer", async () => {
    const { batches, run } = aRunner();
    const ask = createBatch({ run, idOf: null, sizeMax: 100, inFlightMax: 1 });
    const answers = Promise.all([1, 2, 3].map(ask));
    await turn();
    expect(batches.map((batch) => batch.questions)).toEqual([[1, 2, 3]]);
    batches[0]?.answer();
    expect(await answers).toEqual([10, 20, 30]);
  });

  it("holds questions back while all places are taken, and splits at the size limit", async () => {
    const { batches, run } = aRunner();
    const ask = createBatch({ run, idOf: null, sizeMax: 2, inFlightMax: 2 });
    const answers = Promise.all([1, 2, 3, 4, 5, 6, 7].map(ask));
    await turn();
    expect(batches.map((batch) => batch.questions)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    for (let done = 0; done < 4; done++) {
      batches[done]?.answer();
      await turn();
      await turn();
    }
    expect(await answers).toEqual([10, 20, 30, 40, 50, 60, 70]);
    expect(batches.map((batch) => batch.questions.length)).toEqual([2, 2, 2, 1]);
  });

  it("never has two questions with one id under way, and asks them in order", async () => {
    const { batches, run } = aRunner();
    const ask = createBatch({ run, idOf: (question) => `${question % 2}`, sizeMax: 100, inFlightMax: 5 });
    const answers = Promise.all([1, 2, 3, 5].map(ask));
    for (let done = 0; done < 3; done++) {
      await turn();
      batches[done]?.answer();
      await turn();
    }
    await answers;
    expect(batches.map((batch) => batch.questions)).toEqual([[1, 2], [3], [5]]);
  });

  it("fails every question of a failed batch and none of the next", async () => {
    const { batches, run } = aRunner();
    const ask = createBatch({ run, idOf: null, sizeMax: 2, inFlightMax: 1 });
    const answers = Promise.allSettled([1, 2, 3].map(ask));
    await turn();
    batches[0]?.fail(new Error("gone"));
    await turn();
    await turn();
    batches[1]?.answer();
    expect((await answers).map((answer) => answer.status)).toEqual(["rejected", "rejected", "fulfilled"]);
  });
});

describe("shardOf", () => {
  it("is frozen: stored keys are looked for where they were put", () => {
    const shards = ["a", "b", "é", "a\nb"].map((scope) => shardOf({ scope, key: "k" }, 1_000));
    expect(shards).toEqual([379, 26, 819, 959]); // FNV-1a, worked out by another program.
  });

  it("spreads 10 000 keys over 16 shards within a fifth of the even share", () => {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let index = 0; index < 10_000; index++) {
      const shard = shardOf({ scope: "s", key: `key-${index}` }, 16);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(500);
    expect(Math.max(...counts)).toBeLessThan(750);
  });
});
