import { assert } from "../core/assert.ts";
import type { ClaimRequest } from "../core/fence/record.ts";
import { type Clock, clockBySleep } from "../ports/clock.ts";
import { type FenceCase, hold, isKind, KEEP_MS, ownerOf, request, same } from "./fence-world.ts";

/** Only the owner writes (I22). */
export const ownerCases: readonly FenceCase[] = [
  {
    name: "refuses complete, renew and release from a paused owner after a takeover (20 keys, all refused)",
    async run(world) {
      const [one, two] = [world.open(), world.open()];
      const keys = Array.from({ length: 20 }, (_, index) => `zombie-${index}`);
      const zombies = await Promise.all(keys.map((key) => hold(one, request(world, key, { effectKey: "e" }))));
      await world.advance(world.leaseMs + 5);
      const heirs = await Promise.all(
        keys.map((key) => hold(two, request(world, key, { effectKey: "e", leaseMs: KEEP_MS }))),
      );
      for (const zombie of zombies) {
        same(await one.complete(zombie, '"zombie"', KEEP_MS), "superseded", "zombie completes");
        same(await one.renew(zombie, KEEP_MS, null), false, "zombie renews");
        same(await one.release(zombie), false, "zombie releases");
      }
      for (const heir of heirs) same(await two.complete(heir, '"heir"', KEEP_MS), "stored", "heir completes");
      for (const zombie of zombies)
        same(await one.complete(zombie, '"zombie"', KEEP_MS), "superseded", "zombie, later");
      const read = await one.read(zombies[0]?.scope ?? "", "zombie-0");
      same(read?.result, '"heir"', "kept result");
    },
  },
  {
    name: "refuses an attempt that knows the token but not the owner's name, and the owner under another token",
    async run(world) {
      const store = world.open();
      const owner = await hold(store, request(world, "owner"));
      for (const wrong of [
        { ...owner, attemptId: "someone" },
        { ...owner, token: owner.token + 1 },
      ]) {
        same(await store.complete(wrong, '"x"', KEEP_MS), "superseded", "wrong owner completes");
        same(await store.renew(wrong, KEEP_MS, null), false, "wrong owner renews");
        same(await store.release(wrong), false, "wrong owner releases");
      }
      same(await store.complete({ ...owner, key: "nobody" }, '"x"', KEEP_MS), "missing", "key never claimed");
      same(await store.complete(owner, '"mine"', KEEP_MS), "stored", "owner completes");
      same(await store.complete(owner, '"mine"', KEEP_MS), "stored", "owner completes again (its answer was lost)");
      same(await store.renew(owner, KEEP_MS, null), false, "a done key cannot be renewed");
      same(await store.release(owner), false, "a done key cannot be forgotten");
    },
  },
  {
    name: "renews for its owner, ends the lease at 0, and keeps or replaces the note",
    async run(world) {
      const store = world.open();
      const owner = await hold(store, request(world, "renew", { note: "first", effectKey: "e" }));
      same(await store.renew(owner, KEEP_MS, null), true, "renewed");
      await world.advance(world.leaseMs + 5);
      const busy = await store.claim(request(world, "renew", { effectKey: "e" }));
      isKind(busy, "busy", "after a renewal");
      same(busy.note, "first", "kept note");
      same(await store.renew(owner, 0, "failed"), true, "ended");
      same((await store.read(owner.scope, owner.key))?.note, "failed", "replaced note");
      const next = await store.claim(request(world, "renew", { effectKey: "e" }));
      isKind(next, "held", "after the lease was ended");
      same(next.resumed, true, "resumed");
    },
  },
  {
    name: "forgets a released key, and its next token is still greater (I8)",
    async run(world) {
      const store = world.open();
      let last = 0;
      for (let round = 0; round < 5; round++) {
        const owner = await hold(store, request(world, "released", { fingerprint: `fp-${round}` }));
        assert(owner.token > last, `token grows over a deletion: ${last} -> ${owner.token}`);
        last = owner.token;
        same(await store.release(owner), true, "released");
        same(await store.read(owner.scope, owner.key), null, "nothing left");
      }
    },
  },
];

/** Retention, sweeping and clocks. */
export const timeCases: readonly FenceCase[] = [
  {
    name: "keeps a result for its retention, then grants the key anew with a greater token, swept or not",
    async run(world) {
      const store = world.open();
      const kept = await hold(store, request(world, "kept"));
      const gone = await hold(store, request(world, "gone"));
      await store.complete(kept, '"kept"', KEEP_MS);
      await store.complete(gone, '"gone"', world.leaseMs);
      isKind(await store.claim(request(world, "gone")), "done", "within retention");
      await world.advance(world.leaseMs + 5);
      await store.sweep(1_000);
      isKind(await store.claim(request(world, "kept")), "done", "within a longer retention");
      const anew = await store.claim(request(world, "gone", { fingerprint: "fp-2" }));
      isKind(anew, "held", "after retention");
      same(anew.resumed, false, "a new life, not a resumed one");
      assert(anew.token > gone.token, `token grows over expiry: ${gone.token} -> ${anew.token}`);
      same(await store.complete(gone, '"late"', KEEP_MS), "superseded", "owner of the former life");
    },
  },
  {
    name: "never sweeps a locked or unknown key",
    async run(world) {
      const store = world.open();
      await hold(store, request(world, "sweep-locked"));
      await hold(store, request(world, "sweep-unknown"));
      await world.advance(world.leaseMs + 5);
      isKind(await store.claim(request(world, "sweep-unknown")), "unknown", "expired");
      await store.sweep(1_000);
      const scope = request(world, "").scope;
      same((await store.read(scope, "sweep-locked"))?.state, "locked", "locked, swept");
      same((await store.read(scope, "sweep-unknown"))?.state, "unknown", "unknown, swept");
    },
  },
  {
    name: "S20: a caller whose wall clock is ten years off gains and loses no lease",
    async run(world) {
      const tenYearsMs = 315_360_000_000;
      const straight = world.open();
      for (const shiftMs of [tenYearsMs, -tenYearsMs]) {
        const skewed = world.open(skewedClock(shiftMs));
        const key = `skew-${shiftMs}`;
        await hold(straight, request(world, key, { effectKey: "e", leaseMs: KEEP_MS }));
        isKind(await skewed.claim(request(world, key, { effectKey: "e" })), "busy", `skewed by ${shiftMs} ms`);
        await hold(skewed, request(world, `${key}-own`, { effectKey: "e" }));
        isKind(
          await straight.claim(request(world, `${key}-own`, { effectKey: "e" })),
          "busy",
          "lease of a skewed caller",
        );
        await world.advance(world.leaseMs + 5);
        isKind(
          await straight.claim(request(world, `${key}-own`, { effectKey: "e" })),
          "held",
          "its lease ran out in time",
        );
      }
    },
  },
];

/** Leases, whose tokens count by one. */
export const leaseCases: readonly FenceCase[] = [
  {
    name: "grants a lease with tokens 1, 2, 3, …, over release, takeover and flip",
    async run(world) {
      const store = world.open();
      const lease = (more: Partial<ClaimRequest> = {}) =>
        request(world, "partition-7", { kind: "lease", fingerprint: "", ...more });
      const first = await hold(store, lease({ note: "release-a" }));
      same(first.token, 1, "first grant");
      same(await store.release(first), true, "handed over");
      const second = await hold(store, lease({ note: "release-b" }));
      same(second.token, 2, "second grant");
      same(await store.renew(second, world.leaseMs, null), true, "renewed");
      await world.advance(world.leaseMs + 5);
      const busy = await store.claim(lease());
      isKind(busy, "busy", "no clock of the store gives a lease away");
      same(busy.note, "release-b", "who holds it");
      isKind(
        await store.claim(lease({ observed: { token: busy.token, beat: busy.beat - 1 } })),
        "busy",
        "seen too early",
      );
      const third = await hold(store, lease({ observed: { token: busy.token, beat: busy.beat } }));
      same(third.token, 3, "takeover");
      same(await store.renew(second, world.leaseMs, null), false, "former holder renews");
      same(await store.release(second), false, "former holder releases");
      same(await store.sweep(1_000), 0, "leases swept");
    },
  },
];

/** One key does not touch another. */
export const isolationCases: readonly FenceCase[] = [
  {
    name: "S15: the same key in two scopes is two keys, also where scope and key meet",
    async run(world) {
      const store = world.open();
      const scopes = ["a", "b", "a\nb", "a|b", 'a","b'];
      const claims = scopes.flatMap((scope) =>
        ["k", "b|k"].map((key) => request(world, key, { scope: `${world.prefix}${scope}` })),
      );
      const answers = await Promise.all(claims.map((claim) => store.claim(claim)));
      same(answers.filter((answer) => answer.kind === "held").length, claims.length, "all granted");
      for (const [index, claim] of claims.entries()) {
        const answer = answers[index] as { token: number };
        same(
          await store.complete(ownerOf(claim, answer.token), JSON.stringify(claim.scope), KEEP_MS),
          "stored",
          "completes",
        );
      }
      for (const claim of claims)
        same((await store.read(claim.scope, claim.key))?.result, JSON.stringify(claim.scope), "own result");
    },
  },
  {
    name: "reads back every field of a record, and null for a key never claimed",
    async run(world) {
      const store = world.open();
      const claim = request(world, 'fields"\\', { effectKey: "e|1", note: '{"release_id":"r-1"}' });
      const owner = await hold(store, claim);
      const record = await store.read(owner.scope, owner.key);
      assert(record !== null, "a claimed key is read");
      const { leaseUntilMs, createdAtMs, ...fixed } = record;
      const { scope, key, fingerprint, attemptId, effectKey, note, kind } = claim;
      const wanted = {
        scope,
        key,
        kind,
        state: "locked",
        fingerprint,
        attemptId,
        token: owner.token,
        beat: 0,
        effectKey,
        note,
      };
      for (const [field, value] of Object.entries({ ...wanted, result: null, expiresAtMs: null })) {
        same(fixed[field as keyof typeof fixed], value, field);
      }
      const leaseMs = leaseUntilMs - createdAtMs;
      assert(Math.abs(leaseMs - world.leaseMs) <= 1, `lease of ${leaseMs} ms, asked for ${world.leaseMs}`);
      same(await store.read(owner.scope, "never-claimed"), null, "never claimed");
    },
  },
];

/** A real clock whose wall time is shifted. */
function skewedClock(shiftMs: number): Clock {
  const wallMs = () => (Date.now() + shiftMs) as ReturnType<Clock["wallMs"]>;
  const sleep: Clock["sleep"] = (ms) => new Promise((done) => setTimeout(done, ms));
  return clockBySleep({ wallMs, monoMs: () => performance.now(), sleep });
}
