import { describe, expect, it } from "vitest";
import { systemClock } from "../../fence/system.ts";
import { type Clock, clockBySleep } from "../../ports/clock.ts";
import { type CrashPlan, runCrashMatrix } from "../../testing/fence-crash.ts";
import { dynamoFence } from "./dynamodb/driver.ts";
import { fakeDynamo } from "./dynamodb/fake.ts";
import { postgresFence } from "./postgres/driver.ts";
import { blankDatabase } from "../../../test/blank-database.ts";

const plan: CrashPlan = { seed: 11, events: 400, copies: 5, crashShare: 0.2, workers: 16, leaseMs: 100, prefix: "x" };
const nothingWrong = { deliveries: 2_000, duplicates: 0, lost: 0, doubleCommits: 0 };

describe("the crash matrix on fence stores that need no server", () => {
  it("I6, I7: 2 000 deliveries on the DynamoDB contract fake: 0 duplicates, 0 lost, 0 double commits", async () => {
    let nowMs = 1_000;
    const clock: Clock = clockBySleep({
      wallMs: () => nowMs as ReturnType<Clock["wallMs"]>,
      monoMs: () => nowMs,
      sleep: (_, signal) =>
        new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true })),
    });
    const client = fakeDynamo(["fence"], async () => {
      for (let turn = nowMs % 7; turn >= 0; turn--) await Promise.resolve(); // Calls overtake each other.
    });
    const open = () => dynamoFence({ client, table: "fence", clock, clockSkewMs: 0 });
    const advance = async (ms: number) => {
      nowMs += ms;
    };
    const report = await runCrashMatrix({ open, clock, advance, tick: () => void (nowMs += 0.05) }, plan);
    expect(report).toMatchObject(nothingWrong);
    expect(report.superseded).toBeGreaterThan(0);
  });

  it("I6, I7: 500 deliveries on PGlite: 0 duplicates, 0 lost, 0 double commits", async () => {
    const client = await blankDatabase();
    const open = () => postgresFence({ client, durability: "relaxed" });
    await open().migrate();
    const world = { open, clock: systemClock, advance: (ms: number) => systemClock.sleep(ms) };
    const report = await runCrashMatrix(world, { ...plan, events: 100, leaseMs: 300 });
    await client.close();
    expect(report).toMatchObject({ ...nothingWrong, deliveries: 500 });
  });
});
