import { describe, expect, it } from "vitest";
import type { FenceRecord } from "../core/fence/record.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { FenceStore } from "../ports/fence-store.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { acquireLease, type Lease, readLease } from "./lease.ts";
import { memoryFence } from "./memory-store.ts";

function aWorld() {
  const [clock, records] = [manualClock(), new Map<string, FenceRecord>()];
  const stop = new AbortController();
  const acquire = (releaseId: string, store: FenceStore = memoryFence(clock, records), own = clock) =>
    acquireLease({ store, resource: "jobs/7", releaseId, clock: own }, AbortSignal.any([stop.signal]));
  return { clock, records, acquire, stop, store: memoryFence(clock, records) };
}

/** A store whose calls fail while `isCut` says so: a partition between one holder and the store. */
function cuttable(store: FenceStore, isCut: () => boolean): FenceStore {
  const fail = () => Promise.reject(new DriverError("unreachable", "safe", "cut off"));
  return {
    ...store,
    claim: (request) => (isCut() ? fail() : store.claim(request)),
    renew: (owner, leaseMs, note) => (isCut() ? fail() : store.renew(owner, leaseMs, note)),
  };
}

describe("acquireLease", () => {
  it("QJ-7: gives one partition to one release, and names the holder and its token to everybody", async () => {
    const { clock, acquire, stop, store } = aWorld();
    const blue = (await acquire("blue")) as Lease;
    let green: Lease | null = null;
    void acquire("green").then((lease) => (green = lease));
    await clock.advance(60_000);
    expect([blue.isHeld(), blue.token, green]).toEqual([true, 1, null]);
    expect(await readLease(store, "jobs/7")).toEqual({ releaseId: "blue", token: 1, held: true });
    stop.abort();
  });

  it("hands over at once after a release, with the next token", async () => {
    const { clock, acquire } = aWorld();
    const blue = (await acquire("blue")) as Lease;
    expect(await blue.release()).toBe(true);
    const green = (await acquire("green")) as Lease;
    expect([blue.isHeld(), green.isHeld(), green.token, clock.monoMs()]).toEqual([false, true, 2, 0]);
  });

  it("stops by itself 7 s after the last renewal it had confirmed, and is replaced only after a full 10 s seen unchanged", async () => {
    const { clock, acquire, records } = aWorld();
    let isCut = false;
    const blue = (await acquire(
      "blue",
      cuttable(memoryFence(clock, records), () => isCut),
    )) as Lease;
    let greenAtMs = -1;
    void acquire("green").then((lease) => (greenAtMs = lease === null ? -1 : clock.monoMs()));
    await clock.advance(3_500); // One renewal at 3 s.
    isCut = true;
    let blueUntilMs = 0;
    for (let elapsedMs = 0; elapsedMs < 15_000; elapsedMs += 100) {
      await clock.advance(100);
      if (blue.isHeld()) blueUntilMs = clock.monoMs();
      expect(blue.isHeld() && greenAtMs >= 0, "two holders at once").toBe(false);
    }
    expect(blueUntilMs).toBe(9_900); // Renewed at 3 000; 7 s later it is no longer held.
    expect(blue.signal.reason).toBe("self-stop");
    expect(greenAtMs).toBeGreaterThanOrEqual(13_000);
    expect(greenAtMs).toBeLessThanOrEqual(17_000);
  });

  it("CO-9: refuses a former holder everything after a takeover", async () => {
    const { clock, acquire, records, store } = aWorld();
    let isCut = false;
    const blue = (await acquire(
      "blue",
      cuttable(memoryFence(clock, records), () => isCut),
    )) as Lease;
    await clock.advance(60_000);
    expect(blue.isHeld()).toBe(true);
    isCut = true;
    const green = acquire("green");
    await clock.advance(20_000);
    expect((await green)?.token).toBe(2);
    isCut = false;
    expect([await blue.release(), await blue.flip("blue-2")]).toEqual([false, null]);
    expect(await readLease(store, "jobs/7")).toMatchObject({ releaseId: "green", token: 2 });
    const [{ scope = "", key = "", attemptId = "", token = 0 } = {}] = records.values();
    const owner = { scope, key, attemptId, token };
    for (const other of [
      { ...owner, token: 1 },
      { ...owner, attemptId: "another" },
      { ...owner, key: "jobs/8" },
    ]) {
      expect([await store.renew(other, 60_000, null), await store.release(other)]).toEqual([false, false]);
    }
    expect(await (await green)?.release()).toBe(true);
    expect(await store.renew(owner, 60_000, null)).toBe(false);
  });

  it("S20: a wall clock that jumps ten years either way gives or takes no lease", async () => {
    for (const jumpMs of [315_360_000_000, -315_360_000_000]) {
      const { clock, acquire, stop } = aWorld();
      const blue = (await acquire("blue")) as Lease;
      let green: Lease | null = null;
      void acquire("green").then((lease) => (green = lease));
      clock.jumpWall(jumpMs);
      await clock.advance(30_000);
      expect([blue.isHeld(), green]).toEqual([true, null]);
      stop.abort();
    }
  });

  it("knows from its own clock that it no longer holds after a stall, before any timer ran", async () => {
    const { clock, acquire } = aWorld();
    let stalledMs = 0;
    const stalling = { ...clock, monoMs: () => clock.monoMs() + stalledMs };
    const blue = (await acquire("blue", undefined, stalling as typeof clock)) as Lease;
    expect(blue.isHeld()).toBe(true);
    stalledMs = 7_000; // The process was paused: time passed and no continuation has run.
    expect(blue.isHeld()).toBe(false);
  });

  it("moves to another release on a flip under the next token, and the old lease is held no more", async () => {
    const { clock, acquire, store } = aWorld();
    const blue = (await acquire("blue")) as Lease;
    await clock.advance(10_000);
    const green = (await blue.flip("green")) as Lease;
    expect([blue.isHeld(), green.isHeld(), green.token]).toEqual([false, true, 2]);
    const back = (await green.flip("blue")) as Lease;
    expect(back.token).toBe(3);
    await clock.advance(30_000);
    expect([back.isHeld(), await readLease(store, "jobs/7")]).toEqual([
      true,
      { releaseId: "blue", token: 3, held: true },
    ]);
  });

  it("keeps asking an unreachable store and gives up only when told", async () => {
    const { clock, acquire, records, stop } = aWorld();
    const waiting = acquire(
      "blue",
      cuttable(memoryFence(clock, records), () => true),
    );
    await clock.advance(60_000);
    stop.abort();
    await clock.advance(0);
    expect(await waiting).toBe(null);
  });

  it("asks a store that fails at once every 3 s, also when the holder it last showed is long stale", async () => {
    const { clock, acquire, records, stop } = aWorld();
    await acquire(
      "blue",
      cuttable(memoryFence(clock, records), () => clock.monoMs() > 0),
    );
    let [isCut, asked] = [false, 0];
    const store = cuttable(memoryFence(clock, records), () => isCut);
    void acquire("green", { ...store, claim: (request) => (asked++, store.claim(request)) });
    await clock.advance(1_000);
    [isCut, asked] = [true, 0];
    await clock.advance(60_000);
    expect(asked).toBeLessThanOrEqual(21);
    stop.abort();
  });

  it("grants to exactly one of 16 candidates, again and again, with tokens 1, 2, 3, …", async () => {
    const { clock, acquire } = aWorld();
    const held: Lease[] = [];
    for (let index = 0; index < 16; index++)
      void acquire(`r${index}`).then((lease) => lease !== null && held.push(lease));
    for (let round = 1; round <= 16; round++) {
      for (let waitedMs = 0; held.length < round && waitedMs < 5_000; waitedMs += 100) await clock.advance(100);
      expect(held.map((lease) => lease.token)).toEqual(Array.from({ length: round }, (_, index) => index + 1));
      expect(held.filter((lease) => lease.isHeld()).length).toBe(1);
      await held.at(-1)?.release();
    }
  });
});
