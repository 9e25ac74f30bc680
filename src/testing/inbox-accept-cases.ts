import { assert } from "../core/assert.ts";
import { accepted, drain, type InboxCase, orderOf, same, takeOwn } from "./inbox-world.ts";

/** Claim and queue, duplicates, conflicts and races. */
export const acceptCases: readonly InboxCase[] = [
  {
    name: "keeps a webhook byte for byte, once, and answers its second delivery duplicate",
    async run(world) {
      const inbox = world.open();
      const body = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      const order = orderOf(world, "bytes", { body, headers: { "content-type": 'text/plain; x="é\\"' }, revision: 0 });
      await accepted(inbox, order, "accepted", "first delivery");
      await accepted(world.open(), order, "duplicate", "second delivery, other handle");
      const entry = await inbox.read(order.dedupeKey);
      assert(entry !== null, "the entry can be read");
      same(entry.body.join(), body.join(), "body bytes");
      same(JSON.stringify(entry.headers), JSON.stringify(order.headers), "headers");
      same(JSON.stringify([entry.deliveries, entry.conflicts, entry.takes]), "[2,0,0]", "deliveries, conflicts, takes");
      const { tenant, provider, endpoint, eventId, action, revision, digest, receivedAt, state, reason } = entry;
      const found = [tenant, provider, endpoint, eventId, action, revision, digest, receivedAt, state, reason];
      const wanted = [order.tenant, "pay", "/hooks", "bytes", "apply", 0, "digest-1", order.receivedAt, "queued", null];
      same(JSON.stringify(found), JSON.stringify(wanted), "fields");
      same((await drain(world, inbox)).join(), "bytes/0", "handed out once");
      const done = await inbox.read(order.dedupeKey);
      same(done?.body.length, 0, "body bytes after it is done");
      same(await inbox.read("nobody"), null, "a key never used");
    },
  },
  {
    name: "answers the same key with another digest conflict, counts it, and keeps the first body",
    async run(world) {
      const inbox = world.open();
      const order = orderOf(world, "conflict");
      await accepted(inbox, order, "accepted", "first");
      const other = { ...order, digest: "digest-2", body: Uint8Array.of(1) };
      await accepted(inbox, other, "conflict", "other body, queued");
      const [entry] = await takeOwn(world, inbox, 10);
      assert(entry !== undefined, "the first is handed out");
      same(entry.body.join(), "123,125", "the first body");
      same(await inbox.settle(entry, { kind: "done" }), true, "settled");
      await accepted(inbox, other, "conflict", "other body, done");
      const after = await inbox.read(order.dedupeKey);
      same(JSON.stringify([after?.conflicts, after?.deliveries, after?.state]), '[2,1,"done"]', "counted");
    },
  },
  {
    name: "S15: keeps one event of two tenants, endpoints and actions apart",
    async run(world) {
      const inbox = world.open();
      const places = [{}, { tenant: `${world.prefix}-other` }, { endpoint: "/b" }, { action: "notify" }];
      for (const place of places) await accepted(inbox, orderOf(world, "shared", place), "accepted", "own place");
      same((await drain(world, inbox)).length, places.length, "handed out");
    },
  },
  {
    name: "accepts one of 64 racing deliveries from two handles, in every one of 6 rounds, and hands out one",
    async run(world) {
      const inboxes = [world.open(), world.open()] as const;
      for (let round = 0; round < 6; round++) {
        const order = orderOf(world, `race-${round}`, { revision: round % 2 === 0 ? null : round });
        const deliveries = Array.from({ length: 64 }, (_, index) => inboxes[(index % 2) as 0 | 1].accept(order));
        const kinds = (await Promise.all(deliveries)).map(({ kind }) => kind);
        same(kinds.filter((kind) => kind === "accepted").length, 1, `accepted in round ${round}`);
        same(kinds.filter((kind) => kind === "duplicate").length, 63, `duplicates in round ${round}`);
      }
      same((await drain(world, inboxes[0])).length, 6, "handed out");
    },
  },
  {
    name: "splits racing deliveries with two bodies into one accepted, its duplicates and the conflicts",
    async run(world) {
      const inbox = world.open();
      const orders = Array.from({ length: 32 }, (_, index) => orderOf(world, "two", { digest: `digest-${index % 2}` }));
      const kinds = (await Promise.all(orders.map((order) => inbox.accept(order)))).map(({ kind }) => kind);
      same(kinds.filter((kind) => kind === "accepted").length, 1, "accepted");
      same(kinds.filter((kind) => kind === "duplicate").length, 15, "duplicates");
      same(kinds.filter((kind) => kind === "conflict").length, 16, "conflicts");
    },
  },
];

/** Older and newer revisions of one event. */
export const revisionCases: readonly InboxCase[] = [
  {
    name: "records an older revision than the newest accepted as superseded and never hands it out",
    async run(world) {
      const inbox = world.open();
      const revision = (number: number) => orderOf(world, "doc", { revision: number });
      await accepted(inbox, revision(5), "accepted", "revision 5");
      await accepted(inbox, revision(4), "superseded", "revision 4, late");
      await accepted(inbox, revision(4), "duplicate", "revision 4 again");
      await accepted(inbox, { ...revision(4), digest: "digest-2" }, "conflict", "revision 4, other body");
      await accepted(inbox, revision(10), "accepted", "revision 10, newer as a number, not as a text");
      await accepted(inbox, revision(9), "superseded", "revision 9");
      same((await inbox.read(revision(4).dedupeKey))?.state, "superseded", "recorded");
      same((await drain(world, inbox)).join(), "doc/5,doc/10", "handed out");
      await accepted(inbox, revision(6), "superseded", "revision 6, after all were done");
    },
  },
  {
    name: "hands out 16 racing revisions of one event one at a time and only upwards",
    async run(world) {
      const inboxes = [world.open(), world.open()] as const;
      const order = (index: number) => orderOf(world, "up", { revision: (index * 7) % 16 });
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, index) => inboxes[(index % 2) as 0 | 1].accept(order(index))),
      );
      const revisions: number[] = [];
      for (;;) {
        const entries = await takeOwn(world, inboxes[0], 50);
        if (entries.length === 0) break;
        same(entries.length, 1, "one at a time");
        same((await takeOwn(world, inboxes[1], 50)).length, 0, "nothing of it while one is under way");
        revisions.push(entries[0]?.revision ?? -1);
        for (const entry of entries) await inboxes[0].settle(entry, { kind: "done" });
      }
      same(revisions.length, answers.filter(({ kind }) => kind === "accepted").length, "every accepted one");
      same(revisions.join(), [...revisions].sort((a, b) => a - b).join(), "upwards");
      same(revisions.at(-1), 15, "the newest is handed out last");
    },
  },
];
