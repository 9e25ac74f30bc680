import { assert } from "../../core/assert.ts";
import type { EpochMs } from "../../core/unit.ts";
import type { Clock } from "../../ports/clock.ts";
import { DriverError } from "../../ports/driver-error.ts";
import type { AcceptAnswer, InboxOrder, WebhookInbox } from "../../ports/webhook-inbox.ts";
import { readStart } from "../../ports/bounded-body.ts";
import { sha256Hex } from "../digest.ts";
import { retryAfter } from "../problem-response.ts";
import { resend, withTimeout } from "../store-call.ts";
import { systemClock } from "../system.ts";
import { dedupeKey, dedupeWindowMs, weakDedupeKey } from "./dedupe-key.ts";
import { refuseWebhook, type WebhookProblem } from "./refusal.ts";
import { SENDER_HORIZON_MS } from "./schedule.ts";
import type { WebhookVerifier } from "./verify.ts";

/** A verified webhook, before anybody looked into it. */
export interface VerifiedWebhook {
  /** The sender's id; null when it gives none. */
  readonly id: string | null;
  readonly sentAt: EpochMs;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The body as JSON; undefined when it is not JSON. */
  json(): unknown;
}

/** What a schema check says of a webhook. */
export type EventReading =
  | {
      readonly kind: "event";
      /** Default: the webhook's id. Where the sender gives its events another lasting id, say it here. */
      readonly eventId?: string;
      /** Integer >= 0 that grows with every change of the event's subject. Default: none. */
      readonly revision?: number;
      /** Default: the action of the endpoint. */
      readonly action?: string;
    }
  | { readonly kind: "invalid"; readonly detail: string };

/** What happened to one delivery: for counters, logs and alerts. `webhook-conflict` is worth an alert. */
export interface InboundEvent {
  readonly kind: Exclude<AcceptAnswer["kind"], "conflict"> | WebhookProblem;
  readonly tenant: string;
  readonly provider: string;
  readonly endpoint: string;
  readonly eventId: string | null;
  readonly dedupeKey: string | null;
  /** True when the sender gave no id, so that its body had to stand for one. */
  readonly isWeak: boolean;
  /** Why it was refused; null when it was kept. */
  readonly reason: string | null;
}

export interface ReceiveOptions {
  readonly inbox: WebhookInbox;
  readonly verifier: WebhookVerifier;
  readonly tenant: string;
  readonly provider: string;
  /** Name of the receiving endpoint; the same in every region and release. */
  readonly endpoint: string;
  /** What is done about its events. Default `process`. */
  readonly action?: string;
  /** Schema check of a verified webhook. Default: everything is an event. */
  readonly read?: (webhook: VerifiedWebhook) => EventReading | Promise<EventReading>;
  /** Larger bodies are refused with 413. Default 256 KiB, at most 1 MiB. */
  readonly bodyBytesMax?: number;
  /** How long the sender keeps trying one event. Default 75 h 35 min 5 s, the schedule of Standard Webhooks. */
  readonly senderHorizonMs?: number;
  /** Headers kept with the event, lower-case. Default `content-type`. */
  readonly keepHeaders?: readonly string[];
  readonly clock?: Clock;
  /** Longest wait for one answer of the inbox; after it the sender is asked to try again. Default 2 s. */
  readonly inboxTimeoutMs?: number;
  readonly observe?: (event: InboundEvent) => void;
}

/** For a whole body to arrive. */
const BODY_TIMEOUT_MS = 30_000;
const [BODY_BYTES_DEFAULT, BODY_BYTES_MAX] = [262_144, 1_048_576];
/** Tries for one call of the inbox; it may be sent again. */
const INBOX_TRIES = 3;
/** What an inbox can keep as a name: 1 to 255 characters, no control characters, no lone surrogates. */
const NAME = /^[^\p{Cc}\p{Surrogate}]{1,255}$/u;

/** A refusal on its way out. */
interface Refused {
  readonly problem: WebhookProblem;
  readonly detail: string;
  readonly reason: string;
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

/** Size cap, signature, timestamp: in this order. */
async function verifyRequest(options: ReceiveOptions, request: Request): Promise<VerifiedWebhook | Refused> {
  const { verifier, clock = systemClock, bodyBytesMax = BODY_BYTES_DEFAULT } = options;
  const limits = { bytesMax: bodyBytesMax, until: clock.timeout(BODY_TIMEOUT_MS) };
  const { bytes: body, rest, isLate } = await readStart(request.body, limits);
  if (rest !== null) {
    rest.cancel().catch(() => {}); // The connection may be gone already.
    if (isLate) {
      const detail = `The body did not end within ${BODY_TIMEOUT_MS / 1_000} s. Send it again.`;
      return { problem: "webhook-invalid", detail, reason: "body-late" };
    }
    const detail = `At most ${bodyBytesMax} bytes are accepted. Send less, or a link to it.`;
    return { problem: "webhook-too-large", detail, reason: "body-too-large" };
  }
  const { headers } = request;
  const found = await verifier.verify({ headers, body }, clock.wallMs());
  if (found.kind === "valid") return { id: found.id, sentAt: found.sentAt, headers, body, json: () => jsonOf(body) };
  const detail = `Verification says ${found.reason}. Sign id, timestamp and raw body with an active secret, and send it at once.`;
  return { problem: "webhook-not-verified", detail, reason: found.reason };
}

/** What the schema check made of it, with every default filled in. */
interface KnownEvent {
  readonly eventId: string | null;
  readonly revision: number | null;
  readonly action: string;
}

async function readEvent(options: ReceiveOptions, webhook: VerifiedWebhook): Promise<KnownEvent | Refused> {
  const reading = (await options.read?.(webhook)) ?? { kind: "event" };
  const refused = (detail: string): Refused => ({ problem: "webhook-invalid", detail, reason: "schema" });
  if (reading.kind === "invalid") return refused(reading.detail);
  const { eventId = webhook.id, revision = null, action = options.action ?? "process" } = reading;
  if (eventId !== null && !NAME.test(eventId)) return refused("The event's id is not 1 to 255 printable characters.");
  const isRevision = revision === null || (Number.isSafeInteger(revision) && revision >= 0);
  if (!isRevision) return refused(`The event's revision is ${revision}, expected an integer from 0.`);
  return { eventId, revision, action };
}

async function orderFor(
  options: ReceiveOptions,
  webhook: VerifiedWebhook,
  event: KnownEvent,
): Promise<{ readonly order: InboxOrder; readonly isWeak: boolean }> {
  const { tenant, provider, endpoint, clock = systemClock, keepHeaders = ["content-type"] } = options;
  const { revision, action } = event;
  const body = new Uint8Array(webhook.body);
  const digest = await sha256Hex(body);
  const source = { tenant, provider, endpoint, revision, action };
  const isWeak = event.eventId === null;
  const eventId = event.eventId ?? digest;
  const key = isWeak ? await weakDedupeKey(source, digest) : await dedupeKey({ ...source, eventId });
  const kept = keepHeaders.flatMap((name) => {
    const value = webhook.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  const retainMs = dedupeWindowMs(options.senderHorizonMs ?? SENDER_HORIZON_MS);
  const times = { receivedAt: clock.wallMs(), retainMs };
  return {
    order: { ...source, dedupeKey: key, eventId, digest, body, headers: Object.fromEntries(kept), ...times },
    isWeak,
  };
}

/** Asks the inbox within its time. Null: it did not answer, and the sender must try again. */
async function keep(options: ReceiveOptions, order: InboxOrder): Promise<AcceptAnswer | DriverError> {
  const { inbox, clock = systemClock, inboxTimeoutMs = 2_000 } = options;
  try {
    return await resend(INBOX_TRIES, () => withTimeout(clock, inboxTimeoutMs, "accept", inbox.accept(order)));
  } catch (error) {
    if (error instanceof DriverError) return error;
    throw error;
  }
}

function checkOptions({ tenant, provider, endpoint, bodyBytesMax = BODY_BYTES_DEFAULT }: ReceiveOptions): void {
  for (const name of [tenant, provider, endpoint])
    assert(NAME.test(name), `webhook: tenant, provider and endpoint are 1..255 printable characters: ${name}`);
  const isSize = bodyBytesMax > 0 && bodyBytesMax <= BODY_BYTES_MAX;
  assert(isSize, `webhook: bodyBytesMax is 1..${BODY_BYTES_MAX}: ${bodyBytesMax}`);
}

/**
 * A handler for the webhooks of one sender. Size cap, signature, timestamp, schema, then the dedupe key is claimed and
 * the event queued in one transaction, then 2xx; no effect runs inside the request. Answers: 202 kept; 200 known before
 * or superseded; 413, 401, 400 refused; 422 the same event with another body; 503 not kept, try again.
 * @source reliability.md, Webhook dedupe and signing
 */
export function receiveWebhook(options: ReceiveOptions): (request: Request) => Promise<Response> {
  checkOptions(options);
  const { tenant, provider, endpoint } = options;
  const nobody = { eventId: null, dedupeKey: null, isWeak: false };
  const note = (kind: InboundEvent["kind"], reason: string | null, about: Pick<InboundEvent, keyof typeof nobody>) =>
    options.observe?.({ kind, tenant, provider, endpoint, ...about, reason });

  return async (request) => {
    const webhook = await verifyRequest(options, request);
    const event = "problem" in webhook ? webhook : await readEvent(options, webhook);
    if ("problem" in webhook || "problem" in event) {
      const { problem, detail, reason } = event as Refused;
      note(problem, reason, nobody);
      return refuseWebhook(problem, detail);
    }
    const { order, isWeak } = await orderFor(options, webhook, event);
    const about = { eventId: event.eventId, dedupeKey: order.dedupeKey, isWeak };
    const answer = await keep(options, order);
    if (answer instanceof DriverError) {
      note("webhook-unavailable", answer.code, about);
      return refuseWebhook("webhook-unavailable", `The inbox did not keep it (${answer.code}).`, retryAfter(5_000));
    }
    if (answer.kind === "conflict") {
      note("webhook-conflict", "other-digest", about);
      const detail = "Its id was used for another body. Give a changed event a new id or a higher revision.";
      return refuseWebhook("webhook-conflict", detail);
    }
    note(answer.kind, null, about);
    return new Response(null, { status: answer.kind === "accepted" ? 202 : 200 });
  };
}
