import { describe, expect, it } from "vitest";
import type { GoldItem } from "../core/measure/gold.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { type ProbeTask, probeTasks, type RunnerOptions, runProbeTasks } from "./runner.ts";

const items: readonly GoldItem[] = ["a", "b"].map((id) => ({
  id,
  topic: "t",
  phrasings: [`${id}1`, `${id}2`, `${id}3`],
  answerable: false,
  gold: [],
  claims: [],
  decoy: null,
}));
const answer = JSON.stringify({ answer: "x", refused: true, retrieved: [], citations: [] });

function optionsOf(over: Partial<RunnerOptions>): RunnerOptions {
  const target = { pins: null, map: null };
  return {
    targets: { stable: { ...target, url: "http://s" }, candidate: { ...target, url: "http://c" } },
    items,
    k: 10,
    repeats: 2,
    seed: 5,
    requestsPerSecond: null,
    concurrency: 3,
    timeoutMs: 1_000,
    clock: manualClock(),
    fetch: () => Promise.resolve(new Response(answer)),
    store: null,
    signal: new AbortController().signal,
    ...over,
  };
}

describe("probeTasks", () => {
  it("asks A B B A, each (question, phrasing, repetition) of both arms side by side", () => {
    const tasks = [...probeTasks({ items, repeats: 2, isPaired: true })];
    expect(tasks).toHaveLength(2 * 3 * 2 * 2);
    expect(tasks.slice(0, 4).map(({ arm }) => arm)).toEqual(["stable", "candidate", "candidate", "stable"]);
    const place = ({ item, phrasing, repetition }: ProbeTask) => `${item}/${phrasing}/${repetition}`;
    for (let i = 0; i < tasks.length; i += 2) {
      const [first, second] = [tasks[i] as ProbeTask, tasks[i + 1] as ProbeTask];
      expect([place(second), first.arm === second.arm]).toEqual([place(first), false]);
    }
    expect(new Set(tasks.map((task) => `${task.arm} ${place(task)}`)).size).toBe(24);
  });

  it("leaves stable out when it is not asked", () => {
    expect([...probeTasks({ items, repeats: 1, isPaired: false })].map(({ arm }) => arm)).toEqual(
      Array.from({ length: 6 }, () => "candidate"),
    );
  });
});

describe("runProbeTasks", () => {
  it("hands every task over exactly once, and never asks more at once than allowed", async () => {
    let [active, most] = [0, 0];
    const fetch = async () => {
      most = Math.max(most, ++active);
      await new Promise((resolve) => setTimeout(resolve, 1));
      active--;
      return new Response(answer);
    };
    const seen: string[] = [];
    await runProbeTasks(optionsOf({ fetch }), (task, result) => seen.push(`${JSON.stringify(task)} ${result.kind}`));
    expect([seen.length, new Set(seen).size, most]).toEqual([24, 24, 3]);
  });

  it("keeps to 10 requests a second over both arms and all workers", async () => {
    const clock = manualClock();
    const sentAtMs: number[] = [];
    const fetch = () => {
      sentAtMs.push(clock.monoMs());
      return Promise.resolve(new Response(answer));
    };
    const running = runProbeTasks(optionsOf({ clock, fetch, requestsPerSecond: 10 }), () => undefined);
    for (let i = 0; i < 30; i++) {
      await clock.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await running;
    expect(sentAtMs).toHaveLength(24);
    for (const [index, atMs] of sentAtMs.entries()) expect(atMs).toBeGreaterThanOrEqual(index * 100);
  });

  it("counts a request that outlasts its time as an error, by the injected clock", async () => {
    const clock = manualClock();
    const fetch = (_: string, { signal }: RequestInit) => {
      return new Promise<Response>((_resolve, reject) =>
        signal?.addEventListener("abort", () => reject(signal.reason)),
      );
    };
    const kinds: string[] = [];
    const options = optionsOf({ clock, fetch, items: items.slice(0, 1), repeats: 1, concurrency: 6 });
    const running = runProbeTasks(options, (_task, result) =>
      kinds.push(result.kind === "error" ? result.errorClass : ""),
    );
    await clock.advance(1_000);
    await running;
    expect(kinds).toEqual(Array.from({ length: 6 }, () => "headers|timeout|deadline"));
  });

  it("ends all workers and rejects with the store's error when the store fails", async () => {
    const store = { read: () => Promise.reject(new Error("disk full")), write: () => Promise.resolve() };
    const targets = { stable: null, candidate: { url: "http://c", pins: "p", map: null } };
    let asked = 0;
    const fetch = () => Promise.resolve(new Response(answer)).finally(() => asked++);
    await expect(runProbeTasks(optionsOf({ store, targets, fetch }), () => undefined)).rejects.toThrow("disk full");
    expect(asked).toBe(0);
  });
});
