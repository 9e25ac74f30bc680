import { describe, expect, it } from "vitest";
import { never } from "../../src/testing/queue-world.ts";
import { type Death, QueueStory } from "./queue-world.ts";

const ONE = { stable: "jobs", candidate: "jobs" };
const TWO = { stable: "jobs.blue", candidate: "jobs.green" };
const DONE = { kind: "done", verdicts: [] };
const candidate = { to: "candidate" };
const stable = { to: "stable" };

/** To the candidate and, on the way back, to stable again; 3 orders out and 2 back. */
async function thereAndBack(queue: typeof ONE, death: Death | null): Promise<QueueStory> {
  const story = await new QueueStory(queue, death).begin();
  const orders = [
    ["drain", { arm: "stable" }],
    ["move-consumers", candidate],
    ["switch-producers", candidate],
    ["switch-producers", stable],
    ["move-consumers", stable],
  ] as const;
  for (const [place, [verb, args]] of orders.entries()) {
    expect(await story.order(verb, args, place + 1), `${verb} ${JSON.stringify([args, death])}`).toEqual(DONE);
    for (let moment = 0; moment < 6; moment++) await story.moment();
  }
  await story.wake();
  await story.finish();
  return story;
}

describe.each([
  ["one queue for both arms", ONE],
  ["a queue for each arm", TWO],
] as const)("moving consumers and back, with %s", (_, queue) => {
  it("settles every message exactly once, by both arms, and leaves none behind", async () => {
    const story = await thereAndBack(queue, null);
    expect(story.odd()).toEqual([]);
    const arms = [...story.settledBy.values()].map(([consumer]) => consumer);
    expect(arms.filter((arm) => arm === "green").length).toBeGreaterThan(5);
    expect(arms.filter((arm) => arm === "blue").length).toBeGreaterThan(5);
    expect(await story.pointer()).toMatchObject({
      consumer: "blue",
      phase: "acting",
      producersTo: queue.stable,
      epoch: 5,
    });
  });

  it("does so whichever call of the driver the process dies at, before or after it took effect, or sleeps at until all is over", async () => {
    const { calls } = await thereAndBack(queue, null);
    expect(calls).toBeGreaterThan(30);
    for (let call = 0; call < calls; call++)
      for (const when of ["before", "after", "sleeps"] as const) {
        const story = await thereAndBack(queue, { call, when });
        expect(story.odd(), JSON.stringify({ call, when })).toEqual([]);
      }
  });
});

describe("draining a queue", () => {
  it("ends though messages come faster than they are settled: the watermark is taken once", async () => {
    const story = await new QueueStory(ONE).begin();
    story.perMoment = 5;
    expect(await story.order("drain", { arm: "stable" }, 1)).toEqual(DONE);
    const mark = (await story.pointer())?.watermark;
    expect(mark).toMatchObject({ process: "c-1/1" });
    expect(await story.order("drain", { arm: "stable" }, 2)).toEqual(DONE);
    expect((await story.pointer())?.watermark).toEqual(mark);
    expect(Number((await story.queue.driver.end("jobs", never))["0"])).toBeGreaterThan(
      Number(mark?.upTo["jobs"]?.["0"]),
    );
  });

  it("is not done while one message before the watermark is not settled, and tells the counts", async () => {
    const story = await new QueueStory(ONE).begin();
    story.broken.add("blue");
    const outcome = await story.order("drain", { arm: "stable" }, 1, 1_000);
    expect(outcome).toMatchObject({ kind: "failed", code: "unverified", message: expect.stringMatching(/in flight/) });
    story.broken.clear();
    expect(await story.order("drain", { arm: "stable" }, 2)).toEqual(DONE);
  });
});

describe("a product that cannot stop a consumer", () => {
  it("waits until the workers, who read the pointer, have been quiet for two seconds, though producers go on", async () => {
    const story = await new QueueStory(ONE).begin();
    story.canStop = false;
    const beginsMs = story.nowMs;
    expect(await story.order("move-consumers", candidate, 1)).toEqual(DONE);
    expect(story.nowMs - beginsMs).toBeGreaterThanOrEqual(2_000);
    expect(await story.order("move-consumers", stable, 2)).toEqual(DONE);
    await story.finish();
    expect(story.odd()).toEqual([]);
  });
});

describe("a move that cannot be as planned", () => {
  it("fails toward the candidate while stable has messages in flight, and the way back gives them to stable again", async () => {
    const story = await new QueueStory(ONE).begin();
    story.broken.add("blue");
    const outcome = await story.order("move-consumers", candidate, 1, 1_000);
    expect(outcome).toMatchObject({ kind: "failed", code: "unsettled" });
    expect(await story.pointer()).toMatchObject({ consumer: "blue", phase: "stopping" });
    expect(await story.order("move-consumers", stable, 2, 1_000)).toEqual(DONE);
    story.broken.clear();
    await story.finish();
    expect(story.odd()).toEqual([]);
    expect([...story.settledBy.values()].flat()).not.toContain("green");
  });

  it("comes back from a candidate that settles nothing, and loses none of what it was given", async () => {
    const story = await new QueueStory(TWO).begin();
    story.broken.add("green");
    expect(await story.order("move-consumers", candidate, 1)).toEqual(DONE);
    expect(await story.order("switch-producers", candidate, 2)).toEqual(DONE);
    for (let moment = 0; moment < 9; moment++) await story.moment();
    expect(await story.order("switch-producers", stable, 3)).toEqual(DONE);
    expect(await story.order("move-consumers", stable, 4, 1_000)).toEqual(DONE);
    await story.finish();
    expect(story.odd()).toEqual([]);
    expect(await story.queue.driver.progress("jobs.green", "blue", never)).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  it("refuses an order older than the last one, and changes nothing", async () => {
    const story = await new QueueStory(ONE).begin();
    expect(await story.order("move-consumers", candidate, 7)).toEqual(DONE);
    const before = await story.pointer();
    for (const [verb, args] of [
      ["move-consumers", stable],
      ["switch-producers", stable],
      ["drain", { arm: "candidate" }],
    ] as const)
      expect(await story.order(verb, args, 6)).toMatchObject({ kind: "failed", code: "stale-token" });
    expect(await story.pointer()).toEqual(before);
  });

  it("lets no producer write to a queue that nobody reads", async () => {
    const story = await new QueueStory(TWO).begin();
    const outcome = await story.order("switch-producers", candidate, 1);
    expect(outcome).toMatchObject({ kind: "failed", message: expect.stringContaining("blue reads jobs.blue") });
    expect(await story.pointer()).toBe(null);
  });

  it("goes on nowhere when nobody of stable's name consumes the queue", async () => {
    const story = new QueueStory(ONE);
    const outcome = await story.order("move-consumers", candidate, 1);
    expect(outcome).toMatchObject({ kind: "failed", code: "no-consumer", message: expect.stringContaining("blue") });
  });
});
