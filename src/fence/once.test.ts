import { describe, expect, it } from "vitest";
import { admitCommand, NOTHING_SEEN, type SeenCommand } from "../core/fence/epoch.ts";
import type { FenceRecord } from "../core/fence/record.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { FenceStore } from "../ports/fence-store.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { effectKey, indexKey, LITERAL_TEMPLATES } from "./effect-key.ts";
import { createLedger, type StaleEffect } from "./ledger.ts";
import { memoryFence } from "./memory-store.ts";
import { claimKey, type HeldKey, once } from "./once.ts";
import { apiWriteRetentionMs, RETENTION_MS } from "./retention.ts";

const HOUR_MS = 3_600_000;
const request = { scope: "s", key: "k" };

function aWorld() {
  const [clock, records] = [manualClock(), new Map<string, FenceRecord>()];
  return { clock, records, store: memoryFence(clock, records) };
}

describe("once", () => {
  it("runs the work once and replays its result", async () => {
    const { clock, store } = aWorld();
    let runs = 0;
    const work = async () => ({ id: ++runs });
    const outcomes = [await once({ store, clock }, request, work), await once({ store, clock }, request, work)];
    expect(outcomes).toMatchObject([
      { kind: "done", result: { id: 1 }, replayed: false },
      { kind: "done", result: { id: 1 }, replayed: true },
    ]);
    expect(runs).toBe(1);
  });

  it("keeps the lease of long work alive: ten lease times later nobody else got in", async () => {
    const { clock, store } = aWorld();
    let finish: (result: string) => void = () => {};
    const long = once(
      { store, clock, leaseMs: 10_000 },
      request,
      () => new Promise<string>((resolve) => (finish = resolve)),
    );
    for (let round = 0; round < 10; round++) {
      await clock.advance(10_000);
      expect(await once({ store, clock }, request, async () => "second")).toMatchObject({ kind: "busy" });
    }
    finish("first");
    expect(await long).toMatchObject({ kind: "done", result: "first" });
  });

  it("I22: refuses a paused owner that resumes after a takeover: 0 of 10 000 tries complete", async () => {
    const { clock, store } = aWorld();
    const fixed = {
      scope: "s",
      effectKey: "e",
      fingerprint: "f",
      leaseMs: 10,
      note: "",
      kind: "work",
      observed: null,
    } as const;
    const keys = Array.from({ length: 10_000 }, (_, index) => `k${index}`);
    const paused = await Promise.all(keys.map((key) => store.claim({ ...fixed, key, attemptId: "paused" })));
    await clock.advance(10);
    for (const key of keys) {
      const heir = await once(
        { store, clock },
        { scope: "s", key, effectKey: "e", fingerprint: "f" },
        async () => "heir",
      );
      expect(heir.kind).toBe("done");
    }
    const tries = keys.map((key, index) => {
      const token = (paused[index] as { token: number }).token;
      return store.complete({ scope: "s", key, attemptId: "paused", token }, '"zombie"', HOUR_MS);
    });
    expect(new Set(await Promise.all(tries))).toEqual(new Set(["superseded"]));
  });

  it("aborts the work's signal when another attempt took over, and says superseded", async () => {
    const { clock, records, store } = aWorld();
    let held: HeldKey | null = null;
    const running = once({ store, clock }, { ...request, effectKey: "e" }, async (given) => {
      held = given;
      await new Promise((resolve) => given.signal.addEventListener("abort", resolve));
      return "late";
    });
    await clock.advance(0);
    const [id, record] = [...records][0] as [string, FenceRecord];
    records.set(id, { ...record, attemptId: "heir", token: record.token + 1 }); // As another process would write it.
    await clock.advance(5_000);
    expect(await running).toMatchObject({ kind: "superseded" });
    expect((held as HeldKey | null)?.signal.reason).toBe("superseded");
  });

  it("passes a throw on, resumes at once under the same effect key, and is unknown without one", async () => {
    for (const [key, after] of [
      ["e", "done"],
      [null, "unknown"],
    ] as const) {
      const { clock, store } = aWorld();
      const fail = once({ store, clock }, { ...request, effectKey: key }, () => Promise.reject(new Error("crash")));
      await expect(fail).rejects.toThrow("crash");
      expect((await once({ store, clock }, { ...request, effectKey: key }, async () => 1)).kind).toBe(after);
    }
  });

  it("sends claim and complete again when an answer was lost, still with one grant and one result", async () => {
    const { clock, store } = aWorld();
    let lost = 0;
    const losing =
      <A extends unknown[], R>(call: (...given: A) => Promise<R>) =>
      async (...given: A): Promise<R> => {
        const answer = await call(...given);
        if (lost++ % 2 === 0) throw new DriverError("unreachable", "safe", "the answer was lost");
        return answer;
      };
    const flaky: FenceStore = { ...store, claim: losing(store.claim), complete: losing(store.complete) };
    expect(await once({ store: flaky, clock }, request, async () => "x")).toMatchObject({
      kind: "done",
      replayed: false,
      token: 1,
    });
    expect(lost).toBe(4);
  });

  it("ends the lease of a result that JSON cannot hold: the key does not stay locked for ever", async () => {
    const { clock, store } = aWorld();
    const options = { store, clock, leaseMs: 10_000 };
    await expect(once(options, { ...request, effectKey: "e" }, async () => 1n)).rejects.toThrow(/BigInt/);
    await clock.advance(60_000);
    const again = await once(options, { ...request, effectKey: "e" }, async ({ resumed }) => ({ resumed }));
    expect(again).toMatchObject({ kind: "done", result: { resumed: true } });
    await expect(once(options, { scope: "s", key: "unfenced" }, async () => 1n)).rejects.toThrow(/BigInt/);
    expect(await once(options, { scope: "s", key: "unfenced" }, async () => 1)).toMatchObject({ kind: "unknown" });
  });

  it("throws a DriverError and runs nothing when the store is unreachable (S23)", async () => {
    const { clock, store } = aWorld();
    let calls = 0;
    const gone = async () => {
      calls++;
      throw new DriverError("unreachable", "safe", "gone");
    };
    let runs = 0;
    const work = async () => ++runs;
    await expect(once({ store: { ...store, claim: gone }, clock }, request, work)).rejects.toMatchObject({
      code: "unreachable",
    });
    expect([runs, calls]).toEqual([0, 3]);
  });

  it("says unrecorded, never done, when the result could not be stored", async () => {
    const { clock, store } = aWorld();
    const gone = () => Promise.reject(new DriverError("unreachable", "safe", "gone"));
    expect(await once({ store: { ...store, complete: gone }, clock }, request, async () => 1)).toMatchObject({
      kind: "unrecorded",
      result: 1,
    });
  });

  it("accepts a result that was completed in the work's own transaction", async () => {
    const { clock, store } = aWorld();
    const outcome = await once({ store, clock }, request, async (held) => {
      expect(await store.complete(held.owner, '"mine"', HOUR_MS)).toBe("stored");
      return "mine";
    });
    expect(outcome).toMatchObject({ kind: "done", replayed: false });
    expect(await claimKey({ store, clock }, request)).toMatchObject({ kind: "done", result: '"mine"' });
  });
});

describe("the ledger", () => {
  const source = { tenant: "acme", sourceType: "order", sourceId: "o-1", revision: "3", action: "charge" };

  it("I6: applies one effect once, handled on both arms of a flip", async () => {
    const { clock, store } = aWorld();
    let applied = 0;
    for (const _arm of ["blue", "green"]) {
      await createLedger({ store, clock }).apply({ source, sinkHonoursKey: true }, async () => ++applied);
    }
    expect(applied).toBe(1);
  });

  it("I1: issues nothing under a lost grant, audits it, and leaves the effect to the next holder", async () => {
    const { clock, store } = aWorld();
    const stale: StaleEffect[] = [];
    const ledger = createLedger({ store, clock, audit: (entry) => stale.push(entry) });
    let [asked, applied] = [0, 0];
    const lostAfterClaim = { token: 4, isHeld: () => asked++ === 0 };
    for (const grant of [{ token: 4, isHeld: () => false }, lostAfterClaim]) {
      expect(await ledger.apply({ source, sinkHonoursKey: false, grant }, async () => ++applied)).toEqual({
        kind: "grant-lost",
      });
    }
    expect(stale.map((entry) => [entry.kind, entry.epoch])).toEqual([
      ["grant-lost", 4],
      ["grant-lost", 4],
    ]);
    const grant = { token: 5, isHeld: () => true };
    const outcome = await ledger.apply({ source, sinkHonoursKey: false, grant }, async ({ epoch }) => [
      epoch,
      ++applied,
    ]);
    expect(outcome).toMatchObject({ kind: "done", result: { epoch: 5, result: [5, 1] } });
  });
});

describe("effect keys", () => {
  const source = { tenant: "acme", sourceType: "order", sourceId: "o-1", revision: "3", action: "charge" };

  it("is the SHA-256 of the canonical JSON of its five parts", async () => {
    // printf '%s' '["acme","order","o-1","3","charge"]' | sha256sum
    expect(await effectKey(source)).toBe("66596982436c7997a298e61d687e230c404a3dcaa387528f7d6ba54f821cfdfb");
  });

  it("keeps parts apart that a plain join would mix, and an index apart from another", async () => {
    const shifted = { ...source, sourceId: "o-13", revision: "" };
    const keys = [effectKey(source), effectKey(shifted), indexKey(source, "sha256:a"), indexKey(source, "sha256:b")];
    expect(new Set(await Promise.all(keys)).size).toBe(4);
  });

  it("ID-1, ID-2, ID-3: offers the literal formulas by name and says which hold across a cutover", async () => {
    const parts = { id: "abc", revision: "1", indexHash: "0x9a77" };
    const first = LITERAL_TEMPLATES["source-revision-index"];
    const second = LITERAL_TEMPLATES["source-event-rev-index"];
    const third = LITERAL_TEMPLATES["event-rev"];
    expect(await first.keyOf(parts)).toBe("c0c4d879553d9d936f1431e410a134eaaed1e20a20589f8715da69067fdef53b"); // sha256("abc10x9a77")
    expect(await second.keyOf(parts)).toBe(await first.keyOf(parts));
    expect(await third.keyOf(parts)).toBe("dbfcfd0d87220f629339bd3adcf452d083fde3246625fb3a93e314f833e20d37"); // sha256("abc1")
    expect([first, second, third].map((template) => template.holdsAcrossCutover)).toEqual([false, false, true]);
  });
});

describe("admitCommand", () => {
  it("I8: accepts epochs that never fall and sequence numbers without a gap", () => {
    const script: readonly (readonly [epoch: number, seq: number, kind: string])[] = [
      [1, 1, "accepted"],
      [1, 2, "accepted"],
      [1, 2, "repeated"],
      [1, 4, "gap"],
      [2, 2, "gap"],
      [2, 1, "accepted"],
      [1, 3, "stale"],
      [2, 2, "accepted"],
      [9, 1, "accepted"],
      [2, 3, "stale"],
    ];
    let seen: SeenCommand = NOTHING_SEEN;
    const found = script.map(([epoch, seq]) => {
      const admission = admitCommand(seen, { epoch, seq });
      seen = admission.seen;
      return admission.kind;
    });
    expect(found).toEqual(script.map(([, , kind]) => kind));
    expect(seen).toEqual({ epoch: 9, seq: 1 });
  });
});

describe("retention", () => {
  it.each([
    ["nothing said", {}, 72],
    ["a release window of 40 h", { releaseWindowMs: 40 * HOUR_MS }, 72],
    ["one of 60 h", { releaseWindowMs: 60 * HOUR_MS }, 84],
    ["one of 60 h and a retention of its own", { releaseWindowMs: 60 * HOUR_MS, retentionMs: HOUR_MS }, 1],
  ])(
    "ID-5: replays a result for as long as a release may take and a day more, at least 72 h: %s",
    async (_, more, h) => {
      const { clock, store } = aWorld();
      let runs = 0;
      const ask = () => once({ store, clock, ...more }, request, async () => ++runs);
      await ask();
      await clock.advance(h * HOUR_MS - 1);
      expect(await ask()).toMatchObject({ kind: "done", replayed: true });
      await clock.advance(2);
      expect(await ask()).toMatchObject({ kind: "done", replayed: false });
      expect(runs).toBe(2);
    },
  );

  it("ID-5: keeps API writes max(72 h, release window + 24 h), the control plane 7 days, webhooks 14 days", () => {
    expect([apiWriteRetentionMs(0), apiWriteRetentionMs(48 * HOUR_MS), apiWriteRetentionMs(100 * HOUR_MS)]).toEqual(
      [72, 72, 124].map((h) => h * HOUR_MS),
    );
    expect([RETENTION_MS.controlPlane, RETENTION_MS.webhooks]).toEqual([7 * 24 * HOUR_MS, 14 * 24 * HOUR_MS]);
  });
});
