import { describe, expect, it } from "vitest";
import { randomStream } from "../../core/stats/random.ts";
import type { Random } from "../../ports/random.ts";
import type { WebhookAnswer, WebhookPost } from "../../ports/webhook-transport.ts";
import { manualClock } from "../../testing/manual-clock.ts";
import { effectKey } from "../effect-key.ts";
import { ATTEMPT_WAITS_MS, retryAfterMs, SENDER_HORIZON_MS, waitMsAfter } from "./schedule.ts";
import { createSharedSecret } from "./secret.ts";
import { type DeliveryStep, deliverWebhook, nextAttempt, type OutboxItem, type WebhookEndpoint } from "./send.ts";
import { webhookSigner } from "./sign.ts";
import { webhookVerifier } from "./verify.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse("Wed, 21 Oct 2026 07:28:00 GMT");

const answered = (status: number, retryAfter: string | null = null): WebhookAnswer => ({
  kind: "answered",
  status,
  retryAfter,
});
const stepAfter = (answer: WebhookAnswer, more: Partial<Parameters<typeof nextAttempt>[0]> = {}) =>
  nextAttempt({ tries: 1, answer, dedupesById: false, nowMs: NOW_MS, draw: 0.5, ...more });

function seeded(seed: number): Random {
  const draw = randomStream(seed);
  return { float: draw, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(draw() * 256)) };
}

describe("nextAttempt", () => {
  it("takes every 2xx as delivered and no other status", () => {
    const statuses = Array.from({ length: 500 }, (_, index) => 100 + index);
    const delivered = statuses.filter((status) => stepAfter(answered(status)).kind === "delivered");
    expect(delivered).toEqual(Array.from({ length: 100 }, (_, index) => 200 + index));
  });

  it("takes 3xx, 4xx, 429 and 5xx as failures to be tried again, and 410 as the end of the endpoint", () => {
    for (const status of [301, 302, 304, 307, 400, 401, 404, 409, 422, 429, 500, 503])
      expect(stepAfter(answered(status)), `${status}`).toEqual({
        kind: "retry",
        tries: 1,
        waitMs: 5_000,
        reason: `status ${status}`,
      });
    expect(stepAfter(answered(410))).toEqual({ kind: "disabled", tries: 1, reason: "status 410" });
  });

  it("retries an unreachable partner, because nothing was sent, and never a blocked address", () => {
    expect(stepAfter({ kind: "unreachable", reason: "refused" })).toMatchObject({ kind: "retry", waitMs: 5_000 });
    expect(stepAfter({ kind: "blocked", reason: "private" })).toMatchObject({ kind: "dead", because: "blocked" });
  });

  it("I6: sends again after a lost answer, or a gateway's 502 or 504, only where the partner takes each id once", () => {
    for (const answer of [{ kind: "lost", reason: "timeout" } as const, answered(502), answered(504)]) {
      expect(stepAfter(answer)).toMatchObject({ kind: "unknown", tries: 1 });
      expect(stepAfter(answer, { dedupesById: true })).toMatchObject({ kind: "retry", waitMs: 5_000 });
    }
  });

  it("honours Retry-After in seconds and as an HTTP date, and never comes earlier than its own schedule", () => {
    const waitOf = (retryAfter: string, draw = 0) => {
      const step = stepAfter(answered(503, retryAfter), { draw });
      return step.kind === "retry" ? step.waitMs : null;
    };
    expect([waitOf("120"), waitOf("120", 0.99)]).toEqual([120_000, 131_880]);
    expect(waitOf("Wed, 21 Oct 2026 07:38:00 GMT")).toBe(600_000);
    expect([waitOf("1"), waitOf("Wed, 21 Oct 2020 07:28:00 GMT"), waitOf("soon")]).toEqual([4_500, 4_500, 4_500]);
    expect(waitOf("999999999")).toBe(24 * HOUR_MS);
  });

  it("reads Retry-After strictly", () => {
    const read = (text: string | null) => retryAfterMs(text, NOW_MS);
    expect([read("0"), read(" 7 "), read("Wed, 21 Oct 2026 07:28:01 GMT")]).toEqual([0, 7_000, 1_000]);
    for (const text of [
      null,
      "",
      "-1",
      "1.5",
      "1e3",
      "2026-10-21",
      "Wed, 21 Oct 2026 07:28:00 CET",
      "Wed, 99 Oct 2026 07:28:00 GMT",
    ])
      expect(read(text), `${text}`).toBe(null);
  });
});

describe("schedule", () => {
  it("is the ten attempts of Standard Webhooks over 75 h 35 min 5 s", () => {
    expect(ATTEMPT_WAITS_MS).toHaveLength(10);
    expect([ATTEMPT_WAITS_MS[0], ATTEMPT_WAITS_MS.at(-1)]).toEqual([0, 24 * HOUR_MS]);
    expect(SENDER_HORIZON_MS).toBe(75 * HOUR_MS + 35 * 60_000 + 5_000);
  });

  it("stays within 10 % of it under jitter, spreads, and ends after the tenth attempt", () => {
    const random = seeded(5);
    const totals = Array.from({ length: 400 }, () =>
      [1, 2, 3, 4, 5, 6, 7, 8, 9].reduce((sum, tries) => sum + (waitMsAfter(tries, null, random.float()) ?? 0), 0),
    );
    expect(Math.min(...totals)).toBeGreaterThan(0.9 * SENDER_HORIZON_MS);
    expect(Math.max(...totals)).toBeLessThan(1.1 * SENDER_HORIZON_MS);
    expect(new Set(totals).size).toBe(400);
    const mean = totals.reduce((sum, total) => sum + total, 0) / totals.length;
    expect(Math.abs(mean / SENDER_HORIZON_MS - 1)).toBeLessThan(0.01);
    expect(waitMsAfter(10, null, 0.5)).toBe(null);
    expect(stepAfter(answered(500), { tries: 10 })).toMatchObject({ kind: "dead", because: "schedule-over" });
  });

  it("leaves the last attempt inside a receiver's window of 14 d even when every answer asks for 24 h or more", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((tries) => {
      const step = stepAfter(answered(429, "9999999"), { tries, draw: 0.999 });
      return step.kind === "retry" ? step.waitMs : Number.NaN;
    });
    expect(waits.reduce((sum, waitMs) => sum + waitMs, 0)).toBeLessThan(14 * 24 * HOUR_MS);
  });
});

describe("deliverWebhook", () => {
  const body = new TextEncoder().encode('{"type":"paid"}');

  async function aDelivery(answers: (post: WebhookPost) => WebhookAnswer, dedupesById = false) {
    const [clock, posts, secret] = [manualClock(), [] as WebhookPost[], createSharedSecret()];
    const transport = { post: async (order: WebhookPost) => (posts.push(order), answers(order)) };
    const endpoint: WebhookEndpoint = {
      id: "partner-1",
      url: "https://partner.test/hooks",
      signer: await webhookSigner([secret]),
      dedupesById,
      headers: { "webhook-id": "forged", "x-partner": "1" },
    };
    const webhookId = await effectKey({
      tenant: "a",
      sourceType: "order",
      sourceId: "o-1",
      revision: "1",
      action: "send",
    });
    const options = { transport, clock, random: seeded(9) };
    const verifier = await webhookVerifier([secret]);
    const attempt = (tries: number) =>
      deliverWebhook(options, endpoint, { webhookId, body, tries } satisfies OutboxItem);
    return { clock, posts, attempt, verifier, webhookId };
  }

  it("sends the effect key as webhook-id on every attempt, each with its own timestamp and a genuine signature", async () => {
    const { clock, posts, attempt, verifier, webhookId } = await aDelivery(() =>
      answered(posts.length < 10 ? 500 : 204),
    );
    let step: DeliveryStep = { kind: "retry", tries: 0, waitMs: 0, reason: "" };
    const startMs = clock.monoMs();
    while (step.kind === "retry") {
      await clock.advance(step.waitMs);
      step = await attempt(step.tries);
      const last = posts.at(-1) as WebhookPost;
      const found = await verifier.verify({ headers: new Headers(last.headers), body: last.body }, clock.wallMs());
      expect(found).toMatchObject({ kind: "valid", id: webhookId });
    }
    expect(step).toEqual({ kind: "delivered", tries: 10, status: 204 });
    expect(new Set(posts.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([webhookId]));
    expect(new Set(posts.map(({ headers }) => headers["webhook-timestamp"])).size).toBe(10);
    expect(posts[0]?.headers).toMatchObject({ "x-partner": "1", "content-type": "application/json" });
    expect(posts[0]).toMatchObject({ timeoutMs: 20_000, body });
    expect(Math.abs((clock.monoMs() - startMs) / SENDER_HORIZON_MS - 1)).toBeLessThan(0.1);
  });

  it("gives the same waits for the same seed", async () => {
    const waits = async () => {
      const { attempt } = await aDelivery(() => answered(500));
      return Promise.all([1, 2, 3].map((tries) => attempt(tries)));
    };
    expect(await waits()).toEqual(await waits());
  });
});
