import { describe, expect, it } from "vitest";
import { DriverError } from "../../ports/driver-error.ts";
import type { InboxOrder, WebhookInbox } from "../../ports/webhook-inbox.ts";
import { manualClock } from "../../testing/manual-clock.ts";
import { dedupeKey, dedupeWindowMs, weakDedupeKey } from "./dedupe-key.ts";
import { emptyWebhookInbox, memoryWebhookInbox } from "./memory-inbox.ts";
import { type InboundEvent, type ReceiveOptions, receiveWebhook, type VerifiedWebhook } from "./receive.ts";
import { createSharedSecret } from "./secret.ts";
import { webhookSigner } from "./sign.ts";
import { webhookVerifier } from "./verify.ts";

const DAY_MS = 86_400_000;
const SECRET = createSharedSecret();

/** The schema of these tests: `{"type": ..., "rev"?: ...}`. */
function read(webhook: VerifiedWebhook) {
  const event = webhook.json() as { type?: unknown; rev?: number } | undefined;
  if (typeof event?.type !== "string") return { kind: "invalid", detail: "no type" } as const;
  return { kind: "event", ...(event.rev === undefined ? {} : { revision: event.rev }) } as const;
}

async function aWorld(more: Partial<ReceiveOptions> = {}) {
  const [clock, state, seen] = [manualClock(), emptyWebhookInbox(), [] as InboundEvent[]];
  const [signer, verifier] = [await webhookSigner([SECRET]), await webhookVerifier([SECRET])];
  const inbox = memoryWebhookInbox(clock, state);
  const place = { tenant: "acme", provider: "pay", endpoint: "/hooks/pay" };
  const options = { inbox, verifier, ...place, clock, read, observe: (event: InboundEvent) => void seen.push(event) };
  const handle = receiveWebhook({ ...options, ...more });
  const requestOf = async (id: string, text: string) => {
    const body = new TextEncoder().encode(text);
    const headers = await signer.sign({ id, attemptAt: clock.wallMs(), body });
    const more = { "content-type": "application/json", authorization: "Bearer x" };
    return new Request("https://receiver.test/hooks/pay", { method: "POST", headers: { ...headers, ...more }, body });
  };
  const send = async (id: string, text: string) => handle(await requestOf(id, text));
  return { clock, state, seen, inbox, verifier, handle, requestOf, send, options };
}

/** An inbox that counts what reaches it. */
function counting(inbox: WebhookInbox) {
  const orders: InboxOrder[] = [];
  const accept = (order: InboxOrder) => (orders.push(order), inbox.accept(order));
  return { orders, inbox: { ...inbox, accept } };
}

describe("receiveWebhook", () => {
  it("keeps a webhook before it answers 202, and a second delivery is 200 and queues nothing", async () => {
    const { send, inbox, seen } = await aWorld();
    expect((await send("evt-1", '{"type":"paid"}')).status).toBe(202);
    expect((await send("evt-1", '{"type":"paid"}')).status).toBe(200);
    const entries = await inbox.take(10, 1_000);
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({
      eventId: "evt-1",
      deliveries: 2,
      headers: { "content-type": "application/json" },
    });
    expect(entries[0]?.headers).not.toHaveProperty("authorization");
    expect(seen.map(({ kind }) => kind)).toEqual(["accepted", "duplicate"]);
    expect(seen[0]).toMatchObject({ dedupeKey: entries[0]?.dedupeKey, isWeak: false, eventId: "evt-1", reason: null });
  });

  it("asks in this order: size 413, signature 401, timestamp 401, schema 400, then the inbox", async () => {
    const state = emptyWebhookInbox();
    const kept = counting(memoryWebhookInbox(manualClock(), state));
    let reads = 0;
    const counted = (webhook: VerifiedWebhook) => (reads++, read(webhook));
    const { handle, requestOf, clock, seen } = await aWorld({ inbox: kept.inbox, read: counted, bodyBytesMax: 64 });
    const forged = (text: string) =>
      new Request("https://receiver.test/", { method: "POST", headers: { "webhook-id": "x" }, body: text });
    expect((await handle(forged("x".repeat(65)))).status).toBe(413);
    expect((await handle(forged("not even JSON"))).status).toBe(401);
    const early = await requestOf("evt-1", "not even JSON");
    clock.jumpWall(301_000);
    expect((await handle(early)).status).toBe(401);
    expect([reads, kept.orders.length]).toEqual([0, 0]);
    expect((await handle(await requestOf("evt-1", "not even JSON"))).status).toBe(400);
    expect([reads, kept.orders.length]).toEqual([1, 0]);
    expect((await handle(await requestOf("evt-1", '{"type":"paid"}'))).status).toBe(202);
    expect([reads, kept.orders.length]).toEqual([2, 1]);
    expect(seen.map(({ reason }) => reason)).toEqual([
      "body-too-large",
      "header-missing",
      "timestamp-too-old",
      "schema",
      null,
    ]);
  });

  it("S12: a replay of a kept webhook is 200 within 5 min and 401 at 5 min + 1 s, and is never queued again", async () => {
    const { handle, requestOf, clock, inbox } = await aWorld();
    const first = await requestOf("evt-1", '{"type":"paid"}');
    const copies = [first.clone(), first.clone()] as const;
    expect((await handle(first)).status).toBe(202);
    await clock.advance(300_000);
    expect((await handle(copies[0])).status).toBe(200);
    await clock.advance(1_000);
    expect((await handle(copies[1])).status).toBe(401);
    expect(await inbox.take(10, 1_000)).toHaveLength(1);
  });

  it("answers the same id with another body 422 problem+json, and says so for an alert", async () => {
    const { send, seen, inbox } = await aWorld();
    await send("evt-1", '{"type":"paid"}');
    const response = await send("evt-1", '{"type":"refunded"}');
    expect([response.status, response.headers.get("content-type")]).toEqual([422, "application/problem+json"]);
    expect(await response.json()).toMatchObject({ type: "urn:sluice:problem:webhook-conflict" });
    expect(seen.at(-1)).toMatchObject({ kind: "webhook-conflict", eventId: "evt-1", reason: "other-digest" });
    expect(new TextDecoder().decode((await inbox.take(10, 1_000))[0]?.body)).toBe('{"type":"paid"}');
  });

  it("acknowledges an older revision than the newest accepted and records it as superseded", async () => {
    const { send, seen, inbox } = await aWorld();
    const statuses = [];
    for (const rev of [7, 6, 8]) statuses.push((await send("doc-1", `{"type":"changed","rev":${rev}}`)).status);
    expect(statuses).toEqual([202, 200, 202]);
    expect(seen.map(({ kind }) => kind)).toEqual(["accepted", "superseded", "accepted"]);
    expect((await inbox.read(seen[1]?.dedupeKey ?? ""))?.state).toBe("superseded");
  });

  it("flags the key weak when the sender gives no id, takes it from the body, and never from a clock", async () => {
    const verifier = { verify: async () => ({ kind: "valid", id: null, sentAt: 0 as never }) as const };
    const { handle, clock, seen, inbox } = await aWorld({ verifier });
    const post = (text: string) => handle(new Request("https://receiver.test/", { method: "POST", body: text }));
    expect((await post('{"type":"a"}')).status).toBe(202);
    await clock.advance(DAY_MS);
    expect((await post('{"type":"a"}')).status).toBe(200);
    expect((await post('{"type":"b"}')).status).toBe(202);
    expect(seen.map(({ isWeak, eventId }) => [isWeak, eventId])).toEqual(Array(3).fill([true, null]));
    expect(await inbox.take(10, 1_000)).toHaveLength(2);
  });

  it("I7: answers 503 with Retry-After while the inbox is away, and the next attempt is kept", async () => {
    const { inbox, clock } = await aWorld();
    let isAway = true;
    const accept = (order: InboxOrder) =>
      isAway ? Promise.reject(new DriverError("unreachable", "safe", "away")) : inbox.accept(order);
    const { send, seen } = await aWorld({ inbox: { ...inbox, accept }, clock });
    const response = await send("evt-1", '{"type":"paid"}');
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(seen[0]).toMatchObject({ kind: "webhook-unavailable", reason: "unreachable" });
    isAway = false;
    expect((await send("evt-1", '{"type":"paid"}')).status).toBe(202);
    expect(await inbox.take(10, 1_000)).toHaveLength(1);
  });

  it("acknowledges when the inbox kept it and its answer was lost", async () => {
    const { inbox, clock } = await aWorld();
    let lost = 0;
    const accept = async (order: InboxOrder) => {
      const answer = await inbox.accept(order);
      if (lost++ === 0) throw new DriverError("timeout", "safe", "the answer was lost");
      return answer;
    };
    const { send } = await aWorld({ inbox: { ...inbox, accept }, clock });
    expect((await send("evt-1", '{"type":"paid"}')).status).toBe(200);
    expect(await inbox.take(10, 1_000)).toHaveLength(1);
  });

  it("WE-5: the evacuated region and the survivor share one inbox: 200 events sent to both are kept once each", async () => {
    const [survivor, clock] = [await aWorld(), manualClock()];
    const evacuated = await aWorld({ inbox: memoryWebhookInbox(survivor.clock, survivor.state) });
    expect(clock.wallMs()).toBe(survivor.clock.wallMs());
    const ids = Array.from({ length: 200 }, (_, index) => `evt-${index}`);
    const answers = await Promise.all(
      ids.flatMap((id) => [evacuated.send(id, '{"type":"paid"}'), survivor.send(id, '{"type":"paid"}')]),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(200);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(200);
    expect(await survivor.inbox.take(1_000, 1_000)).toHaveLength(200);
  });

  it("refuses ids and revisions that no inbox can keep", async () => {
    for (const reading of [
      { eventId: "a\u0000b" },
      { eventId: "" },
      { eventId: "\ud800" },
      { revision: 1.5 },
      { revision: -1 },
    ]) {
      const { send } = await aWorld({ read: () => ({ kind: "event", ...reading }) });
      expect((await send("evt-1", "{}")).status).toBe(400);
    }
  });
});

describe("dedupeKey", () => {
  const source = { tenant: "acme", provider: "pay", endpoint: "/a", eventId: "evt-1", revision: 2, action: "apply" };

  it("is SHA-256 over the six length-prefixed parts", async () => {
    const parts = ["acme", "pay", "/a", "evt-1", "2", "apply"];
    const bytes = parts.flatMap((part) => [0, 0, 0, part.length, ...Buffer.from(part)]);
    const digest = Buffer.from(await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes)));
    expect(await dedupeKey(source)).toBe(digest.toString("hex"));
  });

  it("differs in every part, and parts cannot run into each other", async () => {
    const others = [
      source,
      { ...source, tenant: "acm", provider: "epay" },
      { ...source, endpoint: "/b" },
      { ...source, eventId: "evt-12", revision: null },
      { ...source, eventId: "evt-1", revision: 22 },
      { ...source, revision: null },
      { ...source, revision: 0 },
      { ...source, action: "notify" },
    ];
    const keys = await Promise.all(others.map(dedupeKey));
    expect(new Set(keys).size).toBe(others.length);
    expect(await weakDedupeKey(source, "evt-1")).not.toBe(keys[0]);
  });

  it("is remembered 14 d, and twice the sender's horizon where that is longer", () => {
    expect([dedupeWindowMs(0), dedupeWindowMs(7 * DAY_MS), dedupeWindowMs(10 * DAY_MS)]).toEqual(
      [14, 14, 20].map((days) => days * DAY_MS),
    );
  });

  it("a webhook delivered again every 13 d is a duplicate for a year: each delivery starts the window anew", async () => {
    const { send, clock, inbox } = await aWorld();
    expect((await send("evt-1", '{"type":"paid"}')).status).toBe(202);
    for (const entry of await inbox.take(10, 1_000)) await inbox.settle(entry, { kind: "done" });
    for (let round = 0; round < 28; round++) {
      await clock.advance(13 * DAY_MS);
      expect((await send("evt-1", '{"type":"paid"}')).status).toBe(200);
    }
    await clock.advance(14 * DAY_MS);
    expect((await send("evt-1", '{"type":"paid"}')).status).toBe(202);
  });
});
