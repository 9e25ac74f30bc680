import { describe, expect, it } from "vitest";
import type { FenceRecord } from "../core/fence/record.ts";
import { type Clock, clockBySleep } from "../ports/clock.ts";
import type { FenceStore } from "../ports/fence-store.ts";
import { CRASH_POINTS, type CrashPlan, type CrashWorld, runCrashMatrix } from "../testing/fence-crash.ts";
import { memoryFence } from "./memory-store.ts";

/** Virtual time that moves with every delivery. Sleeps end only when aborted: nothing here waits for a timer. */
function virtualWorld(change: (store: FenceStore, arm: string) => FenceStore = (store) => store): CrashWorld {
  let nowMs = 0;
  const clock: Clock = clockBySleep({
    wallMs: () => nowMs as ReturnType<Clock["wallMs"]>,
    monoMs: () => nowMs,
    sleep: (_, signal) => new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true })),
  });
  const records = new Map<string, FenceRecord>();
  const advance = async (ms: number) => {
    nowMs += ms;
  };
  return { open: (arm) => change(memoryFence(clock, records), arm), clock, advance, tick: () => void (nowMs += 0.05) };
}

const plan: CrashPlan = { seed: 7, events: 20_000, copies: 5, crashShare: 0.2, workers: 32, leaseMs: 100, prefix: "m" };

describe("the crash matrix on the memory store", () => {
  it("I6, I7: 100 000 deliveries across a flip, workers dying at all 8 points: 0 duplicates, 0 lost, 0 double commits", async () => {
    const report = await runCrashMatrix(virtualWorld(), plan);
    expect(report).toMatchObject({ deliveries: 100_000, duplicates: 0, lost: 0, doubleCommits: 0 });
    for (const point of CRASH_POINTS) expect(report.crashes[point], point).toBeGreaterThan(200);
    expect(report.superseded).toBeGreaterThan(100);
    expect(report.unknown).toBeLessThan(plan.events / 2);
    expect(report.replays).toBeGreaterThan(10_000);
  });

  const small = { ...plan, events: 1_000 };

  it("(checker) sees duplicates when a crashed attempt is run again blindly", async () => {
    const blind = (store: FenceStore): FenceStore => ({
      ...store,
      claim: (request) => store.claim({ ...request, effectKey: "any" }),
    });
    expect((await runCrashMatrix(virtualWorld(blind), small)).duplicates).toBeGreaterThan(0);
  });

  it("(checker) sees double commits when the owner is not checked", async () => {
    const trusting = (store: FenceStore): FenceStore => ({
      ...store,
      async complete(owner, result, retentionMs) {
        const record = await store.read(owner.scope, owner.key);
        await store.complete(record ?? owner, result, retentionMs);
        return "stored";
      },
    });
    expect((await runCrashMatrix(virtualWorld(trusting), small)).doubleCommits).toBeGreaterThan(0);
  });

  it("(checker) sees duplicates when the arm is part of the key", async () => {
    const perArm = (store: FenceStore, arm: string): FenceStore => ({
      ...store,
      claim: (request) => store.claim({ ...request, scope: `${request.scope}/${arm}` }),
      complete: (owner, result, ms) => store.complete({ ...owner, scope: `${owner.scope}/${arm}` }, result, ms),
    });
    expect((await runCrashMatrix(virtualWorld(perArm), small)).duplicates).toBeGreaterThan(0);
  });

  it("(checker) sees a loss when a pending key is acknowledged as a duplicate", async () => {
    const acking = (store: FenceStore): FenceStore => ({
      ...store,
      async claim(request) {
        const record = await store.read(request.scope, request.key);
        const isPending = record?.state === "locked";
        return isPending ? { kind: "done", token: record.token, result: "null" } : store.claim(request);
      },
    });
    const hidden = { ...small, crashShare: 0.5, copies: 2 };
    expect((await runCrashMatrix(virtualWorld(acking), hidden)).lost).toBeGreaterThan(0);
  });
});
