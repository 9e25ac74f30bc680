import { describe, expect, it } from "vitest";
import { randomStream } from "../../core/stats/random.ts";
import type { OutboxRow } from "../../ports/outbox-store.ts";
import type { WebhookAnswer, WebhookPost } from "../../ports/webhook-transport.ts";
import { manualClock } from "../../testing/manual-clock.ts";
import { memoryOutbox } from "../outbox/memory-outbox.ts";
import { runRelay } from "../outbox/relay.ts";
import { type RelaySendOptions, webhookSend } from "./relay-send.ts";
import type { WebhookEndpoint } from "./send.ts";
import type { WebhookSigner } from "./sign.ts";

const ok: WebhookAnswer = { kind: "answered", status: 204, retryAfter: null };
const lost: WebhookAnswer = { kind: "lost", reason: "timeout" };

/** A fake signer: the real one works on threads of the runtime, for which a manual clock does not wait. */
const fakeSigner: WebhookSigner = {
  sign: async ({ id }) => ({ "webhook-id": id, "webhook-timestamp": "1", "webhook-signature": "v1,AAAA" }),
};

/** An outbox with `count` rows, and relays that post them to one fake partner. */
async function aWorld(count: number, answer: (post: WebhookPost) => WebhookAnswer, more: Partial<OutboxRow> = {}) {
  const [clock, posts] = [manualClock(), [] as WebhookPost[]];
  const { outbox, transact } = memoryOutbox(clock);
  const keys = Array.from({ length: count }, (_, index) => `evt-${index}`);
  const rows = keys.map((effectKey) => ({ effectKey, topic: "orders", payload: `{"id":"${effectKey}"}`, ...more }));
  await transact((transaction) => outbox.add(transaction, rows));
  const endpoint: WebhookEndpoint = { id: "p", url: "https://partner.test/", signer: fakeSigner, dedupesById: false };
  const transport = { post: async (order: WebhookPost) => (posts.push(order), answer(order)) };
  const stop = new AbortController();
  const relay = (name: string, options: Partial<RelaySendOptions> = {}) =>
    runRelay(
      {
        store: outbox,
        send: webhookSend({ transport, clock, endpointOf: () => endpoint, ...options }),
        sinkHonoursKey: false,
        owner: name,
        leaseMs: 60_000,
        pollMs: 60_000,
        clock,
      },
      stop.signal,
    );
  return { clock, posts, outbox, keys, endpoint, relay, stop };
}

describe("webhookSend", () => {
  it("WE-2, I14: two relays, a partner that fails and loses answers: sent and dead letters are the outbox, none taken twice", async () => {
    const [draw, taken] = [randomStream(41), new Map<string, number>()];
    const world = await aWorld(300, ({ headers }) => {
      const [id, chance] = [headers["webhook-id"] as string, draw()];
      if (chance < 0.25) return { kind: "answered", status: 503, retryAfter: "30" };
      if (chance < 0.28) return lost;
      taken.set(id, (taken.get(id) ?? 0) + 1);
      return chance < 0.31 ? lost : ok;
    });
    const ends = [world.relay("blue"), world.relay("green")];
    for (let minute = 0; minute < 24 * 60; minute++) await world.clock.advance(60_000);
    world.stop.abort();
    await Promise.all(ends);
    const dead = await world.outbox.deadLetters(1_000);
    const { sent, waiting, claimed } = await world.outbox.counts();
    expect({ waiting, claimed, sum: sent + dead.length }).toEqual({ waiting: 0, claimed: 0, sum: 300 });
    expect(new Set(dead.map(({ because }) => because))).toEqual(new Set(["unknown"]));
    expect(Math.max(...taken.values())).toBe(1);
    const deadKeys = new Set(dead.map(({ effectKey }) => effectKey));
    expect(world.keys.filter((key) => !taken.has(key) && !deadKeys.has(key))).toEqual([]);
  });

  it("posts the effect key as webhook-id, the payload's bytes and its content type, and waits as Retry-After says", async () => {
    const world = await aWorld(
      1,
      () => (world.posts.length === 1 ? { kind: "answered", status: 429, retryAfter: "600" } : ok),
      { payload: Uint8Array.of(0, 255), headers: { "content-type": "application/octet-stream" } },
    );
    const end = world.relay("blue");
    await world.clock.advance(599_000);
    expect(world.posts).toHaveLength(1);
    await world.clock.advance(122_000);
    world.stop.abort();
    await end;
    expect(world.posts.map(({ headers }) => headers["webhook-id"])).toEqual(["evt-0", "evt-0"]);
    expect(world.posts[1]).toMatchObject({ body: Uint8Array.of(0, 255) });
    expect(world.posts[1]?.headers["content-type"]).toBe("application/octet-stream");
  });

  it("turns 410 and a topic without endpoint into dead letters, and tells which endpoint to disable", async () => {
    const disabled: string[] = [];
    const world = await aWorld(1, () => ({ kind: "answered", status: 410, retryAfter: null }));
    const other = await aWorld(1, () => ok);
    const ends = [
      world.relay("blue", { onDisabled: ({ id }) => void disabled.push(id) }),
      other.relay("blue", { endpointOf: () => null }),
    ];
    for (const { clock, stop } of [world, other]) {
      await clock.advance(61_000);
      stop.abort();
    }
    await Promise.all(ends);
    const reasons = await Promise.all(
      [world, other].map(async ({ outbox }) => (await outbox.deadLetters(1))[0]?.error),
    );
    expect(reasons).toEqual(["status 410", "no endpoint for the topic orders; name one, then replay"]);
    expect([disabled, world.posts.length, other.posts.length]).toEqual([["p"], 1, 0]);
  });
});
