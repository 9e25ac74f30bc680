import { describe, expect, it } from "vitest";
import { epochMs } from "../unit.ts";
import { aVerdict } from "../../../test/builders.ts";
import { storedBefore } from "../../../test/stored-rollout.ts";
import { buildReport } from "../evidence/report.ts";
import { orderName } from "../process/order.ts";
import { rolloutMachine } from "./machine.ts";
import type { Rollout } from "./rollout.ts";
import { readJournal, readState, type StoredEntry, type StoredState } from "./stored-form.ts";

const { plan, rows, journal } = storedBefore();

function rolloutOf(stored: StoredState): Rollout {
  const read = readState(plan.rolloutId, stored);
  if (read.kind === "refused") throw new Error(read.text);
  return { plan, ...read.value };
}

function journalOf(stored: readonly StoredEntry[]) {
  const read = readJournal(plan.rolloutId, stored);
  if (read.kind === "refused") throw new Error(read.text);
  return read.value;
}

describe("a state that the version before wrote", () => {
  it("waits for the same work under the same ids, and keeps every rule", () => {
    const told = rows.map(({ rollout }) => {
      const read = rolloutOf(rollout);
      expect(rolloutMachine.broken(read)).toEqual([]);
      const orders = read.awaiting.map((order) => `${order.id} ${orderName(order)} ${JSON.stringify(order.args)}`);
      return `${read.phase}, next ${read.nextOrderIndex}: ${orders.join() || "nothing"}`;
    });
    expect(told).toEqual([
      "checking, next 1: support-rag-7/1/0 health.compare {}",
      'probing, next 2: support-rag-7/1/1 probe.ask {"tier":"smoke","extraRepeats":0}',
      "waiting, next 2: nothing",
      'progressing, next 4: support-rag-7/1/3 traffic.publish {"candidateBp":2000,"closed":[],"arms":"both","newEpoch":false}',
      'promoting, next 6: support-rag-7/1/5 traffic.publish {"candidateBp":0,"closed":[],"arms":"swap","newEpoch":true}',
      'rolling-back, next 7: support-rag-7/1/6 traffic.publish {"candidateBp":0,"closed":["candidate"],"arms":"both","newEpoch":true}',
      "rolled-back, next 7: nothing",
    ]);
  });

  it("goes on with the result of what it waits for", () => {
    const after = rows.flatMap(({ rollout, created_at }) => {
      const read = rolloutOf(rollout);
      const [order] = read.awaiting;
      if (order === undefined) return [];
      const of = { at: epochMs(created_at + 60_000), orderId: order.id, order: orderName(order) };
      return [
        rolloutMachine.step(read, { kind: "order-done", ...of, verdicts: [aVerdict("parity", "pass")] }).state.phase,
      ];
    });
    expect(after).toEqual(["probing", "progressing", "progressing", "promoted", "rolled-back"]);
  });

  it("is today's when it is written again", () => {
    for (const { rollout } of rows) {
      const read = readState(plan.rolloutId, rollout);
      if (read.kind === "refused") throw new Error(read.text);
      expect(readState(plan.rolloutId, read.value)).toEqual(read);
      expect(JSON.stringify(read.value)).not.toMatch(/effect/i);
    }
  });
});

describe("a journal that the version before wrote", () => {
  it("names each result's order, and tells the same story", () => {
    const read = journalOf(journal);
    expect(read.map(({ index }) => index)).toEqual(journal.map((_, index) => index));
    const results = read.flatMap(({ event }) =>
      event.kind === "order-done" || event.kind === "order-failed" ? [`${event.orderId} ${event.order}`] : [],
    );
    expect(results).toEqual([
      "support-rag-7/1/0 health.compare",
      "support-rag-7/1/1 probe.ask",
      "support-rag-7/1/2 probe.ask",
      "support-rag-7/1/3 traffic.publish",
      "support-rag-7/1/4 traffic.publish",
      "support-rag-7/1/5 traffic.publish",
      "support-rag-7/1/6 traffic.publish",
    ]);
    const none = { stable: 0, candidate: 0 };
    const { timeline } = buildReport({ plan, entries: read, cause: null, reports: [], requests: none, failures: none });
    expect(
      timeline.map(({ text }) => text).filter((text) => text.startsWith("ordered") || text.startsWith("failed")),
    ).toEqual([
      "ordered: compare identity",
      "ordered: ask the gold set (smoke)",
      "failed (rejected): the gold set is gone",
      "ordered: ask the gold set (smoke, 2 more repetitions)",
      "ordered: set the candidate to 20 %",
      "ordered: set the candidate to 100 %",
      "ordered: make the candidate stable",
      "ordered: set the candidate to 0 %",
    ]);
    expect(journalOf(read)).toEqual(read);
  });
});

describe("what a newer version wrote", () => {
  const newer = JSON.parse('{ "schema": 3 }') as StoredState & StoredEntry;

  it.each([
    ["a state", () => readState("r-1", newer), "the state of rollout r-1"],
    ["a journal", () => readJournal("r-1", [...journal, newer]), "the journal of rollout r-1"],
  ])("is refused in words: %s", (_, read, what) => {
    expect(read()).toEqual({
      kind: "refused",
      text: `${what} is of schema 3, written by a newer version; this one reads schema 1 to 2: nothing was changed; start the newer version again, or restore a backup that was made before it ran`,
    });
  });
});
