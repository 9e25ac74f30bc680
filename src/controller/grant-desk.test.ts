import { describe, expect, it } from "vitest";
import { aPlan } from "../../test/builders.ts";
import type { ServicePointer } from "../core/service/pointer.ts";
import { epochMs } from "../core/unit.ts";
import { memoryStore } from "../drivers/store/memory/index.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { type Asker, GrantDesk } from "./grant-desk.ts";

const LEAVE_MS = 5_000;

function pointer(releaseId: string, process: string, at: number): ServicePointer {
  const arm = { ...aPlan().arms.stable, releaseId };
  const since = { process, generation: 1, at: epochMs(at) };
  return {
    service: "desk",
    region: "default",
    release: releaseId,
    reported: null,
    url: "http://x/",
    arm,
    epoch: 1,
    since,
  };
}

async function world() {
  const [clock, store] = [manualClock(), memoryStore()];
  const said = { pointer: null as ServicePointer | null, canPromise: true };
  const open = () =>
    GrantDesk.open({
      store,
      clock,
      pointerOf: () => said.pointer,
      ownership: {
        get canPromise() {
          return said.canPromise;
        },
        leasesFromMonoMs: clock.monoMs(),
        epochFloor: 0,
      },
    });
  const desk = await open();
  let orders = 0;
  const say = (on: GrantDesk, holder: string, frozenUntil: number | null = null) => {
    const order = { id: `c-1/1/${orders}`, epoch: ++orders };
    return on.say("desk", order, "c-1", () => ({
      holder,
      frozenUntil: frozenUntil === null ? null : epochMs(frozenUntil),
    }));
  };
  return { clock, store, said, desk, open, say };
}

const asker = (release: string, over: Partial<Asker> = {}): Asker => ({
  release,
  worker: `${release}-1`,
  role: "producer",
  isActing: false,
  question: null,
  ...over,
});

describe("who may act on effects", () => {
  it("is nobody before a service has a release, then the one its pointer names", async () => {
    const { desk, said } = await world();
    expect(await desk.ask("desk", asker("r1"))).toMatchObject({ acts: false, holder: null });
    said.pointer = pointer("r1", "first", 1);
    expect(await desk.ask("desk", asker("r1"))).toMatchObject({ acts: true, holder: "r1", expiresInMs: LEAVE_MS });
    expect(await desk.ask("desk", asker("r2"))).toMatchObject({
      acts: false,
      reason: "r1 acts on effects of desk, this is r2",
    });
  });

  it("is the next release only once every leave of the one before is over, or given back", async () => {
    const { clock, desk, say } = await world();
    await clock.advance(LEAVE_MS);
    await say(desk, "r1");
    expect(await desk.ask("desk", asker("r1"))).toMatchObject({ acts: true, token: 1 });
    await say(desk, "r2");
    expect(await desk.ask("desk", asker("r2"))).toMatchObject({ acts: false, token: 2 });
    await clock.advance(LEAVE_MS - 1);
    expect(await desk.ask("desk", asker("r2"))).toMatchObject({ acts: false });
    await clock.advance(1);
    expect(await desk.ask("desk", asker("r2", { question: 3 }))).toMatchObject({ acts: true, token: 2 });
    await say(desk, "r1");
    expect(await desk.ask("desk", asker("r2", { isActing: true, question: 4 }))).toMatchObject({ acts: false });
    expect(await desk.ask("desk", asker("r1"))).toMatchObject({ acts: false }); // It may still act on what it was given.
    await desk.ask("desk", asker("r2", { question: 2 })); // Overtaken by the one that was answered with a leave.
    await desk.ask("desk", asker("r2", { question: null }));
    expect(await desk.ask("desk", asker("r1"))).toMatchObject({ acts: false });
    await desk.ask("desk", asker("r2", { question: 5 }));
    expect(await desk.ask("desk", asker("r1"))).toMatchObject({ acts: true, token: 3 });
  });

  it("is after a restart only who could have no rival: leaves of the owner before are waited for", async () => {
    const { clock, desk, open, say } = await world();
    await clock.advance(60_000);
    await say(desk, "r1");
    await desk.ask("desk", asker("r1"));
    await say(desk, "r2"); // And it died here; nobody knows that r1 has a leave.
    const next = await open();
    expect(await next.ask("desk", asker("r2"))).toMatchObject({ acts: false });
    await clock.advance(LEAVE_MS);
    expect(await next.ask("desk", asker("r2"))).toMatchObject({ acts: true });
  });

  it("is nobody by the word of a controller that may have lost the store", async () => {
    const { clock, desk, said, say } = await world();
    await clock.advance(LEAVE_MS);
    await say(desk, "r1");
    said.canPromise = false;
    expect(await desk.ask("desk", asker("r1"))).toMatchObject({ acts: false, expiresInMs: 0 });
  });

  it("begins nothing while frozen and finishes what is queued; a freeze lifts itself", async () => {
    const { clock, desk, say } = await world();
    await clock.advance(LEAVE_MS);
    await say(desk, "r1", clock.wallMs() + 10_000);
    expect(await desk.ask("desk", asker("r1"))).toMatchObject({
      acts: false,
      reason: "effects of desk are frozen by c-1",
    });
    expect(await desk.ask("desk", asker("r1", { role: "consumer", worker: "w" }))).toMatchObject({ acts: true });
    expect(desk.runsOnMs("desk", ({ role }) => role === "producer")).toBe(0);
    expect(desk.runsOnMs("desk", ({ role }) => role === "consumer")).toBe(LEAVE_MS);
    await clock.advance(10_000);
    expect(await desk.ask("desk", asker("r1"))).toMatchObject({ acts: true });
  });

  it("moves with a release that a rollout promoted after the last order, with a higher token", async () => {
    const { clock, desk, said, say } = await world();
    await clock.advance(LEAVE_MS);
    await say(desk, "r2");
    said.pointer = pointer("r2", "c-1", clock.wallMs());
    expect(await desk.ask("desk", asker("r2"))).toMatchObject({ acts: true, token: 1 });
    await clock.advance(60_000);
    said.pointer = pointer("r3", "later", clock.wallMs());
    await desk.ask("desk", asker("r3"));
    await clock.advance(2 * LEAVE_MS);
    expect(await desk.ask("desk", asker("r3"))).toMatchObject({ acts: true, token: 2, holder: "r3" });
    expect(await desk.ask("desk", asker("r2"))).toMatchObject({ acts: false });
  });

  it("refuses an order that a later one has overtaken, and takes the same one once", async () => {
    const { desk, store, say } = await world();
    await say(desk, "r1");
    await say(desk, "r2");
    const late = desk.say("desk", { id: "c-1/1/9", epoch: 1 }, "c-1", () => ({ holder: "r1", frozenUntil: null }));
    await expect(late).rejects.toMatchObject({ code: "stale-token" });
    await desk.say("desk", { id: "c-1/1/1", epoch: 2 }, "c-1", () => ({ holder: "r9", frozenUntil: null }));
    expect((await store.grants())[0]).toMatchObject({ holder: "r2", token: 2, version: 2 });
  });
});
