import { assert } from "../core/assert.ts";
import type { Claim, FenceOwner } from "../core/fence/record.ts";
import { type FenceCase, hold, isKind, KEEP_MS, ownerOf, request, same } from "./fence-world.ts";

/** The outcome table, case by case. */
export const outcomeCases: readonly FenceCase[] = [
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

/** Many claims at once: one winner for each key. */
export const raceCases: readonly FenceCase[] = [
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
