import { assert } from "../core/assert.ts";
import type { Claim, ClaimRequest, FenceOwner } from "../core/fence/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { FenceStore } from "../ports/fence-store.ts";

/** What a store brings to its conformance run. */
export interface FenceWorld {
  /** One handle; every handle of a world sees the same data, as two processes would. `clock` is the caller's clock. */
  open(clock?: Clock): FenceStore;
  /** Lets at least `ms` pass on the store's clock. */
  advance(ms: number): Promise<void>;
  /** Unique for each run, so that a shared server needs no cleaning. */
  readonly prefix: string;
  /** A lease time the store's clock resolves well, e.g. 200 on a real server. */
  readonly leaseMs: number;
}

export interface FenceCase {
  readonly name: string;
  run(world: FenceWorld): Promise<void>;
}

let attempts = 0;

function request(world: FenceWorld, key: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  const identity = {
    scope: `${world.prefix}/suite`,
    key,
    fingerprint: "fp-1",
    attemptId: `${world.prefix}-${++attempts}`,
  };
  return { ...identity, leaseMs: world.leaseMs, effectKey: null, note: "", kind: "work", observed: null, ...more };
}

function ownerOf(claimed: ClaimRequest, token: number): FenceOwner {
  return { scope: claimed.scope, key: claimed.key, attemptId: claimed.attemptId, token };
}

function isKind<K extends Claim["kind"]>(
  claim: Claim,
  kind: K,
  when: string,
): asserts claim is Extract<Claim, { kind: K }> {
  assert(claim.kind === kind, `${when}: claim is ${kind}, found ${JSON.stringify(claim)}`);
}

function same(found: unknown, wanted: unknown, what: string): void {
  assert(Object.is(found, wanted), `${what}: expected ${String(wanted)}, found ${String(found)}`);
}

async function hold(store: FenceStore, claim: ClaimRequest): Promise<FenceOwner> {
  const answer = await store.claim(claim);
  isKind(answer, "held", `first claim of ${claim.key}`);
  return ownerOf(claim, answer.token);
}

const KEEP_MS = 60_000;

const outcomeCases: readonly FenceCase[] = [
  {
    name: "replays the stored result to the same fingerprint and refuses another fingerprint, done or locked",
    async run(world) {
      const store = world.open();
      const owner = await hold(store, request(world, "replay"));
      isKind(await store.claim(request(world, "replay", { fingerprint: "fp-2" })), "mismatch", "other input, locked");
      const busy = await store.claim(request(world, "replay"));
      isKind(busy, "busy", "same input, locked");
      assert(busy.retryAfterMs >= 1 && busy.retryAfterMs <= world.leaseMs, `retry after ${busy.retryAfterMs} ms`);
      const result = JSON.stringify({ text: 'é\u0000\n"|\\', many: "x".repeat(5_000) });
      same(await store.complete(owner, result, KEEP_MS), "stored", "owner completes");
      const done = await store.claim(request(world, "replay"));
      isKind(done, "done", "same input, done");
      same(done.result, result, "the result, byte for byte");
      isKind(await store.claim(request(world, "replay", { fingerprint: "fp-2" })), "mismatch", "other input, done");
    },
  },
  {
    name: "turns an expired attempt into unknown, keeps it so, and lets its own owner still say what happened",
    async run(world) {
      const store = world.open();
      const owner = await hold(store, request(world, "unknown"));
      await world.advance(world.leaseMs + 5);
      for (const round of [1, 2])
        isKind(await store.claim(request(world, "unknown")), "unknown", `late claim ${round}`);
      isKind(await store.claim(request(world, "unknown", { fingerprint: "fp-2" })), "mismatch", "other input, unknown");
      same(await store.renew(owner, world.leaseMs, null), false, "an unknown outcome cannot be renewed");
      same(await store.release(owner), false, "an unknown outcome cannot be forgotten");
      same(await store.complete(owner, '"it happened"', KEEP_MS), "stored", "the owner settles it");
      isKind(await store.claim(request(world, "unknown")), "done", "after settling");
    },
  },
  {
    name: "resumes an expired attempt only under the same effect key",
    async run(world) {
      const store = world.open();
      const first = await hold(store, request(world, "resume", { effectKey: "e1" }));
      await hold(store, request(world, "other", { effectKey: "e1" }));
      isKind(await store.claim(request(world, "resume", { effectKey: "e1" })), "busy", "live lease");
      await world.advance(world.leaseMs + 5);
      const resumed = await store.claim(request(world, "resume", { effectKey: "e1" }));
      isKind(resumed, "held", "expired, fenced");
      same(resumed.resumed, true, "says that an attempt came before");
      assert(resumed.token > first.token, `token grows: ${first.token} -> ${resumed.token}`);
      isKind(await store.claim(request(world, "other", { effectKey: "e2" })), "unknown", "expired, other effect key");
    },
  },
  {
    name: "settles an unknown outcome once, under its token, and refuses the former owner afterwards",
    async run(world) {
      const store = world.open();
      const owners = [
        await hold(store, request(world, "settle-done")),
        await hold(store, request(world, "settle-run")),
      ];
      const [done, rerun] = owners as [FenceOwner, FenceOwner];
      const by = { kind: "done", by: "ana", result: '"seen"', retentionMs: KEEP_MS } as const;
      same(await store.settle(done.scope, done.key, done.token, by), false, "a locked key cannot be settled");
      await world.advance(world.leaseMs + 5);
      for (const key of ["settle-done", "settle-run"]) isKind(await store.claim(request(world, key)), "unknown", key);
      same(await store.settle(done.scope, done.key, done.token + 1, by), false, "another token");
      same(await store.settle(done.scope, done.key, done.token, by), true, "settled");
      same(await store.settle(done.scope, done.key, done.token, by), false, "settled twice");
      same(await store.complete(done, '"late"', KEEP_MS), "superseded", "former owner");
      same(await store.settle(rerun.scope, rerun.key, rerun.token, { kind: "run-again" }), true, "allowed again");
      same(await store.complete(rerun, '"late"', KEEP_MS), "missing", "former owner of a forgotten key");
      const again = await store.claim(request(world, "settle-run"));
      isKind(again, "held", "run again");
      assert(again.token > rerun.token, `token grows: ${rerun.token} -> ${again.token}`);
    },
  },
];

const raceCases: readonly FenceCase[] = [
  {
    name: "grants 64 racing claims of one key to exactly one, from two handles, in every one of 8 rounds",
    async run(world) {
      const stores = [world.open(), world.open()] as const;
      for (let round = 0; round < 8; round++) {
        const claims = Array.from({ length: 64 }, (_, index) => request(world, `race-${round}`, { note: `${index}` }));
        const answers = await Promise.all(claims.map((claim, index) => stores[(index % 2) as 0 | 1].claim(claim)));
        const winners = answers.filter((answer) => answer.kind === "held");
        same(winners.length, 1, `winners of round ${round}`);
        same(answers.filter((answer) => answer.kind === "busy").length, 63, `busy answers of round ${round}`);
      }
    },
  },
  {
    name: "grants an expired, fenced key to exactly one of 32 racing claims",
    async run(world) {
      const stores = [world.open(), world.open()] as const;
      const first = await hold(stores[0], request(world, "take", { effectKey: "e" }));
      await world.advance(world.leaseMs + 5);
      const claims = Array.from({ length: 32 }, () => request(world, "take", { effectKey: "e", leaseMs: KEEP_MS }));
      const answers = await Promise.all(claims.map((claim, index) => stores[(index % 2) as 0 | 1].claim(claim)));
      const won = answers.filter((answer) => answer.kind === "held");
      same(won.length, 1, "winners of the takeover");
      assert((won[0] as { token: number }).token > first.token, "the token grew");
    },
  },
  {
    name: "keeps 200 keys in one batch apart, each with its duplicates, and completes each once",
    async run(world) {
      const store = world.open();
      const claims = Array.from({ length: 600 }, (_, index) =>
        request(world, `batch-${index % 200}`, { leaseMs: KEEP_MS }),
      );
      const answers = await Promise.all(claims.map((claim) => store.claim(claim)));
      const owners = claims.flatMap((claim, index) => {
        const answer = answers[index] as Claim;
        return answer.kind === "held" ? [ownerOf(claim, answer.token)] : [];
      });
      same(new Set(owners.map((owner) => owner.key)).size, 200, "keys won");
      same(owners.length, 200, "claims won");
      const stored = await Promise.all(
        owners.map((owner) => store.complete(owner, JSON.stringify(owner.key), KEEP_MS)),
      );
      same(stored.filter((answer) => answer === "stored").length, 200, "completions stored");
      const replays = await Promise.all(owners.map((owner) => store.claim(request(world, owner.key))));
      const own = replays.filter(
        (claim, index) => claim.kind === "done" && claim.result === JSON.stringify(owners[index]?.key),
      );
      same(own.length, 200, "results replayed under their own key");
    },
  },
  {
    name: "answers a repeated claim of one attempt as held under the same token (its first answer was lost)",
    async run(world) {
      const [one, two] = [world.open(), world.open()];
      const claim = request(world, "lost-reply");
      const owner = await hold(one, claim);
      const repeated = await two.claim(claim);
      isKind(repeated, "held", "the same attempt again");
      same(repeated.token, owner.token, "token of the repeated claim");
      const both = request(world, "lost-reply-at-once");
      const answers = await Promise.all([one.claim(both), one.claim(both), two.claim(both)]);
      const tokens = new Set(answers.map((answer) => (answer.kind === "held" ? answer.token : answer.kind)));
      same(tokens.size, 1, "one grant for one attempt sent three times at once");
    },
  },
];

const ownerCases: readonly FenceCase[] = [
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

const timeCases: readonly FenceCase[] = [
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

const leaseCases: readonly FenceCase[] = [
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

const isolationCases: readonly FenceCase[] = [
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
  return { wallMs, monoMs: () => performance.now(), sleep: (ms) => new Promise((done) => setTimeout(done, ms)) };
}

/** What every fence store must do. Data without a test runner, so that it also runs inside workerd. */
export const fenceSuite: readonly FenceCase[] = [
  ...outcomeCases,
  ...raceCases,
  ...ownerCases,
  ...timeCases,
  ...leaseCases,
  ...isolationCases,
];

/** Registers the suite with a test runner. A waiver names its case and gives the reason; a stale waiver fails. */
export function fenceConformance(
  open: () => FenceWorld,
  it: (name: string, run: () => Promise<void>) => void,
  waived: Readonly<Record<string, string>> = {},
): void {
  for (const name of Object.keys(waived))
    assert(
      fenceSuite.some((c) => c.name === name),
      `stale waiver: ${name}`,
    );
  for (const c of fenceSuite) if (!(c.name in waived)) it(c.name, () => c.run(open()));
}
