import { describe, expect, it } from "vitest";
import { epochMs } from "../../core/unit.ts";
import type { InboxEntry } from "../../ports/webhook-inbox.ts";
import { manualClock } from "../../testing/manual-clock.ts";
import { memoryFence } from "../memory-store.ts";
import { emptyWebhookInbox, memoryWebhookInbox } from "./memory-inbox.ts";
import { type WorkOptions, type WorkReport, workInbox } from "./work.ts";

async function aWorld(count: number, more: Partial<WorkOptions> = {}) {
  const clock = manualClock();
  const inbox = memoryWebhookInbox(clock, emptyWebhookInbox());
  const options: WorkOptions = { inbox, fence: { store: memoryFence(clock), clock }, isResumable: false, ...more };
  for (let index = 0; index < count; index++) {
    const [name, body] = [`evt-${index}`, new Uint8Array(2)];
    const place = { tenant: "acme", provider: "pay", endpoint: "/a", eventId: name, action: "apply", revision: null };
    const times = { receivedAt: epochMs(1), retainMs: 86_400_000 };
    await inbox.accept({ dedupeKey: name, digest: "d", body, headers: {}, ...place, ...times });
  }
  return { clock, inbox, options };
}

/** Works batches until nothing is due for a day of the clock. Returns the sums. */
async function drain(
  { clock, options }: Awaited<ReturnType<typeof aWorld>>,
  work: (entry: InboxEntry) => Promise<void>,
) {
  const sum = { done: 0, again: 0, dead: 0, lost: 0 };
  for (let idle = 0; idle < 24; ) {
    const report: WorkReport = await workInbox(options, work);
    for (const kind of Object.keys(sum) as (keyof WorkReport)[]) sum[kind] += report[kind];
    const isIdle = Object.values(report).every((found) => found === 0);
    idle = isIdle ? idle + 1 : 0;
    if (isIdle) await clock.advance(3_600_000);
  }
  return sum;
}

describe("workInbox", () => {
  it("does each of 100 webhooks once", async () => {
    const world = await aWorld(100);
    const done: string[] = [];
    const sum = await drain(world, async ({ eventId }) => void done.push(eventId));
    expect(sum).toEqual({ done: 100, again: 0, dead: 0, lost: 0 });
    expect(new Set(done).size).toBe(100);
  });

  it("I7: work that fails half-way and cannot be repeated is a dead letter after one run, not a second run", async () => {
    const world = await aWorld(3);
    let runs = 0;
    const sum = await drain(world, async ({ eventId }) => {
      if (eventId === "evt-1" && ++runs > 0) throw new Error("the provider closed the connection");
    });
    expect([runs, sum]).toEqual([1, { done: 2, again: 1, dead: 1, lost: 0 }]);
    const [dead] = await world.inbox.listDead(10);
    expect(dead).toMatchObject({ eventId: "evt-1", reason: expect.stringContaining("settle its key") });
  });

  it("I7: work that refuses a second run is repeated until it is done, or given up after 10 tries with its reason", async () => {
    const world = await aWorld(2, { isResumable: true });
    const runs = new Map<string, number>();
    const sum = await drain(world, async ({ eventId }) => {
      const count = (runs.get(eventId) ?? 0) + 1;
      runs.set(eventId, count);
      if (eventId === "evt-1" || count < 4) throw new Error(`no ${count}`);
    });
    expect(Object.fromEntries(runs)).toEqual({ "evt-0": 4, "evt-1": 10 });
    expect(sum).toMatchObject({ done: 1, dead: 1, lost: 0 });
    expect((await world.inbox.listDead(10)).map(({ reason }) => reason)).toEqual(["no 10"]);
  });

  it("I6: a slow worker whose take ran out and its successor do the work once", async () => {
    const world = await aWorld(1);
    let runs = 0;
    const slow = workInbox({ ...world.options, leaseMs: 1_000 }, async () => {
      runs++;
      await world.clock.sleep(5_000);
    });
    await world.clock.advance(2_000);
    const second = await workInbox(world.options, async () => void runs++);
    expect(second).toEqual({ done: 0, again: 1, dead: 0, lost: 0 }); // Somebody else has it.
    await world.clock.advance(5_000);
    expect(await slow).toEqual({ done: 0, again: 0, dead: 0, lost: 1 });
    expect(await drain(world, async () => void runs++)).toEqual({ done: 1, again: 0, dead: 0, lost: 0 });
    expect(runs).toBe(1);
  });
});
