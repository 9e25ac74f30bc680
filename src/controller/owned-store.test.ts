import { describe, expect, it } from "vitest";
import { memoryStore } from "../drivers/store/memory/index.ts";
import type { Change, ControllerStore } from "../ports/controller-store.ts";
import { DriverError } from "../ports/driver-error.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { pointerMove, published, stored } from "../testing/store-world.ts";
import { ownedStore } from "./owned-store.ts";
import { Ownership } from "./ownership.ts";

type Fault = "none" | "away" | "lost answer" | "broken";

/** A store with a fault that is set, a clock that is moved, and whoever owns it. */
async function world() {
  const [inner, clock, logged, stopped] = [memoryStore(), manualClock(), [] as string[], new AbortController()];
  const state = { fault: "none" as Fault, commits: 0 };
  const store: ControllerStore = {
    ...inner,
    async commit(change) {
      state.commits++;
      if (state.fault === "away") throw new DriverError("unreachable", "safe", "no answer");
      if (state.fault === "broken") throw new DriverError("rejected", "safe", "the disk is full");
      const isStored = await inner.commit(change);
      if (state.fault === "lost answer") throw new DriverError("unreachable", "after-read", "cut");
      return isStored;
    },
  };
  const ownership = await Ownership.take(store, clock, { proposed: "s" });
  const tools = { clock, log: (line: string) => void logged.push(line), stopped: stopped.signal };
  return { inner, clock, logged, stopped, state, ownership, owned: ownedStore(store, ownership, tools) };
}

const next = stored("r", 1);
const first: Change = { rollout: { expectedVersion: null, next } };

describe("the store of an owner", () => {
  it("sends a change again until the store is back, and says once that it is away and once that it is back", async () => {
    const { inner, clock, logged, state, owned } = await world();
    state.fault = "away";
    const waiting = owned.commit(first);
    await clock.advance(5_000);
    expect([owned.outage?.code, state.commits > 2, state.commits < 10]).toEqual(["unreachable", true, true]);
    state.fault = "none";
    await clock.advance(2_000);
    expect([await waiting, owned.outage, (await inner.rollouts()).length]).toEqual([true, null, 1]);
    expect(logged).toEqual([expect.stringMatching(/^the store is away/), "the store is back"]);
  });

  const cases: readonly (readonly [string, Change, Change])[] = [
    ["a rollout", { pointer: pointerMove("s", 1) }, first],
    ["a document", {}, { published: { expected: null, next: published("s", 1, 1, 0) } }],
    ["a pointer", {}, { pointer: pointerMove("s", 1) }],
    ["what has no number", {}, { hours: [{ service: "s", hour: 1, requests: 2 }] }],
  ];
  it.each(cases)("finds %s again whose answer was lost, instead of losing to itself", async (_, before, change) => {
    const { clock, state, owned } = await world();
    expect(await owned.commit(before)).toBe(true);
    state.fault = "lost answer";
    const waiting = owned.commit(change);
    await clock.advance(10);
    state.fault = "none";
    await clock.advance(2_000);
    expect(await waiting).toBe(true);
  });

  it("does not take another change of the same number for its own", async () => {
    const { inner, clock, state, owned } = await world();
    await inner.commit({ published: { expected: null, next: published("s", 1, 1, 0) } });
    state.fault = "lost answer";
    const waiting = owned.commit({ published: { expected: null, next: published("s", 2, 1, 0) } });
    await clock.advance(10);
    state.fault = "none";
    await clock.advance(2_000);
    expect(await waiting).toBe(false);
  });

  it("is not stored in the name of a deposed owner, also when it waited meanwhile; who has it is said", async () => {
    const { inner, clock, state, ownership, owned } = await world();
    state.fault = "away";
    const waiting = owned.commit(first).catch((error: unknown) => error);
    await clock.advance(10);
    await inner.own("x", { id: "b", name: "process 7 on host b" });
    state.fault = "none";
    await clock.advance(2_000);
    expect(await waiting).toMatchObject({ code: "stale-token", retry: "never" });
    expect((await ownership.ended).text).toContain("owner 2): process 7 on host b; this one decides nothing any more");
    expect(ownership.canPromise).toBe(false);
    const commits = state.commits;
    await expect(owned.commit({ hours: [] })).rejects.toMatchObject({ code: "stale-token" });
    expect([state.commits, await inner.rollouts()]).toEqual([commits, []]);
  });

  it("tells a change that came too late in this process from a lost store", async () => {
    const { owned, ownership } = await world();
    expect([await owned.commit(first), await owned.commit(first), ownership.superseded]).toEqual([true, false, null]);
  });

  it("gives a failure on that another try does not mend, and whatever waits at its end", async () => {
    const { clock, stopped, state, owned } = await world();
    state.fault = "broken";
    await expect(owned.commit(first)).rejects.toMatchObject({ code: "rejected" });
    state.fault = "away";
    const waiting = owned.commit(first).catch((error: unknown) => error);
    await clock.advance(300);
    stopped.abort();
    await clock.advance(0);
    expect(await waiting).toMatchObject({ code: "unreachable" });
  });
});
