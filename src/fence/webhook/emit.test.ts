import { describe, expect, it, vi } from "vitest";
import type { Arm, ServingArm } from "../../core/arm.ts";
import type { FenceRecord } from "../../core/fence/record.ts";
import { randomStream } from "../../core/stats/random.ts";
import { bp } from "../../core/unit.ts";
import type { WebhookAnswer, WebhookPost, WebhookTransport } from "../../ports/webhook-transport.ts";
import { type ManualClock, manualClock } from "../../testing/manual-clock.ts";
import { effectKey } from "../effect-key.ts";
import { memoryFence } from "../memory-store.ts";
import { type EmitOutcome, emitToAll, emitWebhook } from "./emit.ts";
import { createSharedSecret } from "./secret.ts";
import type { OutboxItem, WebhookEndpoint } from "./send.ts";
import { webhookSigner } from "./sign.ts";
import { compareSinkResults, recipientsOf, type SinkResult } from "./sink.ts";

const [PARTNER_URL, SINK_URL] = ["https://partner.test/hooks", "https://sink.test/"];

async function anEndpoint(id: string, url: string, dedupesById = false): Promise<WebhookEndpoint> {
  return { id, url, dedupesById, signer: await webhookSigner([createSharedSecret()]) };
}

const keyOf = (index: number) =>
  effectKey({ tenant: "acme", sourceType: "order", sourceId: `o-${index}`, revision: "1", action: "notify" });
const itemOf = async (index: number, tries = 0): Promise<OutboxItem> => ({
  webhookId: await keyOf(index),
  body: new TextEncoder().encode(`{"order":${index}}`),
  tries,
});

/** A fake partner and sink that write down every post and answer as told. */
function aTransport(answer: (post: WebhookPost) => WebhookAnswer) {
  const posts: WebhookPost[] = [];
  const transport: WebhookTransport = { post: async (order) => (posts.push(order), answer(order)) };
  const idsAt = (url: string, arm?: Arm) =>
    posts
      .filter((post) => post.url === url && (arm === undefined || post.headers["sluice-arm"] === arm))
      .map(({ headers }) => headers["webhook-id"] as string);
  return { posts, transport, idsAt };
}

const ok: WebhookAnswer = { kind: "answered", status: 204, retryAfter: null };
const lost: WebhookAnswer = { kind: "lost", reason: "timeout" };

/** Two releases with a store handle each, on one fence. */
function twoArms(clock: ManualClock) {
  const records = new Map<string, FenceRecord>();
  const fence = () => ({ store: memoryFence(clock, records), clock, leaseMs: 10_000 });
  return { stable: fence(), candidate: fence() };
}

/** Emits until the outcome is final, waiting as it says. */
async function untilSettled(clock: ManualClock, emit: (tries: number) => Promise<EmitOutcome>): Promise<EmitOutcome> {
  for (let outcome = await emit(0); ; outcome = await emit(outcome.tries)) {
    if (outcome.kind === "retry") await clock.advance(outcome.waitMs);
    else if (outcome.kind === "busy") await clock.advance(outcome.retryAfterMs);
    else return outcome;
  }
}

describe("1 000 events, half handled on blue, half on green", () => {
  it("WE-1, WE-2: each partner post exactly once, the sink has the 500 canary copies, keyed by the same id", async () => {
    const clock = manualClock();
    const [arms, { transport, idsAt }] = [twoArms(clock), aTransport(() => ok)];
    const [partner, endpoint] = [await anEndpoint("partner", PARTNER_URL), await anEndpoint("sink", SINK_URL)];
    const ids = await Promise.all(Array.from({ length: 1_000 }, (_, index) => keyOf(index)));
    for (let index = 0; index < 1_000; index++) {
      const arm: ServingArm = index % 2 === 0 ? "stable" : "candidate";
      const recipients = recipientsOf(arm, partner, { endpoint, candidateBp: bp(2_500) });
      await emitToAll(arms[arm], { transport, clock }, arm, recipients, await itemOf(index));
    }
    expect(idsAt(PARTNER_URL).sort()).toEqual([...ids].sort());
    expect(idsAt(SINK_URL).sort()).toEqual(ids.filter((_, index) => index % 2 === 1).sort());
    expect(idsAt(SINK_URL, "candidate")).toHaveLength(500);
  });

  it("WE-2, WE-3, ID-7, QJ-15: the same with every event handled on both arms at once, then all replayed after a deploy", async () => {
    const clock = manualClock();
    const [arms, { transport, idsAt }] = [twoArms(clock), aTransport(() => ok)];
    const [partner, endpoint] = [await anEndpoint("partner", PARTNER_URL), await anEndpoint("sink", SINK_URL)];
    const sink = { endpoint, candidateBp: bp(2_500) };
    const kinds = new Map<string, number>();
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 1_000; index++) {
        const item = await itemOf(index);
        const both = (["stable", "candidate"] as const).map((arm) =>
          emitToAll(arms[arm], { transport, clock }, arm, recipientsOf(arm, partner, sink), item),
        );
        for (const { role, outcome } of (await Promise.all(both)).flat())
          kinds.set(`${role} ${outcome.kind}`, (kinds.get(`${role} ${outcome.kind}`) ?? 0) + 1);
      }
    }
    const ids = idsAt(PARTNER_URL);
    expect([ids.length, new Set(ids).size]).toEqual([1_000, 1_000]);
    expect([idsAt(SINK_URL).length, new Set(idsAt(SINK_URL)).size]).toEqual([1_000, 1_000]);
    expect(kinds.get("partner delivered")).toBe(1_000);
    expect(kinds.get("partner delivered-before")).toBeGreaterThanOrEqual(2_000); // The whole replay, on both arms.
  });

  it("WE-2, I6: the same with a partner that fails, refuses and loses answers: none twice, the rest reconciled", async () => {
    const [clock, draw] = [manualClock(), randomStream(77)];
    const taken = new Map<string, number>();
    const arms = twoArms(clock);
    const { transport } = aTransport(({ headers }) => {
      const [id, chance] = [headers["webhook-id"] as string, draw()];
      if (chance < 0.2) return { kind: "answered", status: 500, retryAfter: null };
      if (chance < 0.3) return { kind: "unreachable", reason: "refused" };
      if (chance < 0.34) return lost; // Not taken, and nobody knows.
      taken.set(id, (taken.get(id) ?? 0) + 1);
      return chance < 0.38 ? lost : ok; // Taken, and nobody knows.
    });
    const partner = await anEndpoint("partner", PARTNER_URL);
    const finals = await Promise.all(
      Array.from({ length: 1_000 }, async (_, index) => {
        const arm = index % 2 === 0 ? "stable" : "candidate";
        for (let tries = 0; ; ) {
          const { outcome } = await emitWebhook(arms[arm], { transport, clock }, partner, await itemOf(index, tries));
          if (outcome.kind !== "retry") return outcome.kind;
          tries = outcome.tries;
        }
      }),
    );
    expect(Math.max(...taken.values())).toBe(1);
    expect(new Set(finals)).toEqual(new Set(["delivered", "unknown"]));
    const delivered = finals.filter((kind) => kind === "delivered").length;
    expect(delivered).toBeGreaterThan(800);
    expect(taken.size).toBeGreaterThan(delivered); // Some of the unknown ones were taken.
  });
});

describe("emitWebhook", () => {
  const clockAndArms = () => {
    const clock = manualClock();
    return { clock, arms: twoArms(clock) };
  };

  it("never sends a lost answer again, from either arm, until somebody settles it", async () => {
    const { clock, arms } = clockAndArms();
    const { transport, posts } = aTransport(() => lost);
    const [partner, item] = [await anEndpoint("partner", PARTNER_URL), await itemOf(1)];
    for (const arm of ["stable", "candidate", "stable"] as const) {
      const { outcome } = await emitWebhook(arms[arm], { transport, clock }, partner, item);
      expect(outcome.kind).toBe("unknown");
      await clock.advance(60_000);
    }
    expect(posts).toHaveLength(1);
    const record = await arms.stable.store.read('["webhook","partner"]', item.webhookId);
    expect(record?.state).toBe("unknown");
    const by = { kind: "run-again" } as const;
    expect(await arms.stable.store.settle('["webhook","partner"]', item.webhookId, record?.token ?? 0, by)).toBe(true);
    expect((await emitWebhook(arms.stable, { transport, clock }, partner, item)).outcome.kind).toBe("unknown");
    expect(posts).toHaveLength(2);
  });

  it("sends a lost answer again under the same id where the partner takes each id once", async () => {
    const { clock, arms } = clockAndArms();
    let count = 0;
    const { transport, idsAt } = aTransport(() => (++count < 3 ? lost : ok));
    const partner = await anEndpoint("partner", PARTNER_URL, true);
    const outcome = await untilSettled(
      clock,
      async (tries) => (await emitWebhook(arms.stable, { transport, clock }, partner, await itemOf(1, tries))).outcome,
    );
    expect(outcome).toMatchObject({ kind: "delivered", tries: 3 });
    expect(idsAt(PARTNER_URL)).toEqual(Array(3).fill(await keyOf(1)));
  });

  it("refuses the same id with another body", async () => {
    const { clock, arms } = clockAndArms();
    const { transport, posts } = aTransport(() => ok);
    const [partner, item] = [await anEndpoint("partner", PARTNER_URL), await itemOf(1)];
    await emitWebhook(arms.stable, { transport, clock }, partner, item);
    const other = await emitWebhook(arms.candidate, { transport, clock }, partner, { ...item, body: Uint8Array.of(1) });
    expect([other.outcome.kind, posts.length]).toEqual(["conflict", 1]);
  });

  it("QJ-15: sends nothing a second time in a replay, and says and logs of each event what became of it", async () => {
    const { clock, arms } = clockAndArms();
    const partner = await anEndpoint("partner", PARTNER_URL);
    const [done, gone, open] = [await itemOf(1), await itemOf(2), await itemOf(3)];
    let answerOpen = (_answer: WebhookAnswer) => {};
    const isOpen = new Promise<WebhookAnswer>((resolve) => (answerOpen = resolve));
    const posts: string[] = [];
    const transport: WebhookTransport = {
      post: async ({ headers }) => {
        const id = headers["webhook-id"] as string;
        posts.push(id);
        return id === open.webhookId ? isOpen : id === gone.webhookId ? lost : ok;
      },
    };
    const emit = (arm: ServingArm, item: OutboxItem) => emitWebhook(arms[arm], { transport, clock }, partner, item);
    await emit("stable", done);
    await emit("stable", gone);
    const running = emit("stable", open);
    await vi.waitFor(() => expect(posts).toHaveLength(3));
    for (const arm of ["stable", "candidate"] as const) {
      const of = ({ webhookId }: OutboxItem, outcome: object) => ({
        outcome: { tries: 7, ...outcome },
        egress: { webhook: "partner", tries: 7, dedupe_key: webhookId },
      });
      const again = (item: OutboxItem) => emit(arm, { ...item, tries: 7 });
      expect(await again(done)).toEqual(of(done, { kind: "delivered-before" }));
      expect(await again({ ...done, body: Uint8Array.of(1) })).toEqual(of(done, { kind: "conflict" }));
      const reason = "an earlier attempt ended without an answer";
      expect(await again(gone)).toEqual(of(gone, { kind: "unknown", reason }));
      expect(await again(open)).toEqual(of(open, { kind: "busy", retryAfterMs: 10_000 }));
    }
    answerOpen(ok);
    expect((await running).outcome.kind).toBe("delivered");
    expect(posts).toEqual([done, gone, open].map(({ webhookId }) => webhookId));
  });

  it("WE-7: logs webhook, tries and dedupe_key", async () => {
    const { clock, arms } = clockAndArms();
    const { transport } = aTransport(() => ok);
    const partner = await anEndpoint("partner", PARTNER_URL);
    const { egress } = await emitWebhook(arms.stable, { transport, clock }, partner, await itemOf(3, 4));
    expect(egress).toEqual({ webhook: "partner", tries: 5, dedupe_key: await keyOf(3) });
  });
});

describe("recipientsOf", () => {
  it("WE-1, WE-8: decides by arm and share: 12 cases", async () => {
    const [partner, endpoint] = [await anEndpoint("partner", PARTNER_URL), await anEndpoint("sink", SINK_URL)];
    const table: readonly (readonly [Arm, number | null, readonly string[]])[] = [
      ["stable", 500, ["partner partner"]],
      ["stable", 4_999, ["partner partner"]],
      ["stable", 5_000, ["partner partner"]],
      ["stable", null, ["partner partner"]],
      ["candidate", 500, ["partner partner", "sink sink/candidate"]],
      ["candidate", 4_999, ["partner partner", "sink sink/candidate"]],
      ["candidate", 5_000, ["partner partner"]],
      ["candidate", null, ["partner partner"]],
      ["shadow", 0, ["sink sink/shadow"]],
      ["shadow", 4_999, ["sink sink/shadow"]],
      ["shadow", 5_000, []],
      ["shadow", null, []],
    ];
    for (const [arm, share, wanted] of table) {
      const found = recipientsOf(arm, partner, share === null ? null : { endpoint, candidateBp: bp(share) });
      expect(
        found.map(({ role, endpoint: { id } }) => `${role} ${id}`),
        `${arm} at ${share}`,
      ).toEqual(wanted);
    }
  });
});

describe("compareSinkResults", () => {
  const results = (arm: ServingArm, count: number, more: (index: number) => Partial<SinkResult>): SinkResult[] =>
    Array.from({ length: count }, (_, index) => ({
      arm,
      isDelivered: true,
      tries: 1,
      ageMs: index + 1,
      ...more(index),
    }));

  it("WE-2: compares success, tries and age of the arms", () => {
    const found = compareSinkResults([
      ...results("stable", 100, () => ({})),
      ...results("candidate", 50, (index) => ({ isDelivered: index >= 5, tries: 2, ageMs: 10 * (index + 1) })),
    ]);
    expect(found).toMatchObject({
      kind: "compared",
      arms: {
        stable: { count: 100, deliveredShare: 1, triesMean: 1, ageP50Ms: 50, ageP95Ms: 95 },
        candidate: { count: 50, deliveredShare: 0.9, triesMean: 2, ageP50Ms: 250, ageP95Ms: 480 },
      },
      difference: { triesMean: 1, ageP50Ms: 200, ageP95Ms: 385 },
    });
    expect(found.kind === "compared" && found.difference.deliveredShare).toBeCloseTo(-0.1, 12);
  });

  it("WE-2: an arm without emissions is no data, never a pass", () => {
    expect(compareSinkResults(results("stable", 3, () => ({})))).toEqual({ kind: "no-data", missing: ["candidate"] });
    expect(compareSinkResults([])).toEqual({ kind: "no-data", missing: ["stable", "candidate"] });
  });
});
