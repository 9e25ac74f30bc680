import { assert } from "../../core/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { WebhookAnswer, WebhookTransport } from "../../ports/webhook-transport.ts";
import { systemClock, systemRandom } from "../system.ts";
import type { EmissionGrant } from "./emitter-grant.ts";
import { retryAfterMs, waitMsAfter } from "./schedule.ts";
import type { WebhookSigner } from "./sign.ts";

/** Where webhooks of one partner go. */
export interface WebhookEndpoint {
  /** Names the endpoint for ever; the url may change. */
  readonly id: string;
  readonly url: string;
  readonly signer: WebhookSigner;
  /**
   * True only when the partner declares that it takes each webhook id once. Then a lost answer is sent again; otherwise
   * its outcome is unknown and somebody has to ask the partner.
   */
  readonly dedupesById: boolean;
  /** Sent with every post, lower-case. They cannot replace the three headers of Standard Webhooks. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One webhook waiting to be sent. */
export interface OutboxItem {
  /** The effect key: identical for every attempt, from every arm and region. */
  readonly webhookId: string;
  readonly body: Uint8Array;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Attempts made before. */
  readonly tries: number;
}

/** What is to happen after an attempt. `tries` includes it. */
export type DeliveryStep =
  | { readonly kind: "delivered"; readonly tries: number; readonly status: number }
  | { readonly kind: "retry"; readonly tries: number; readonly waitMs: number; readonly reason: string }
  /** The partner may have it. Never sent again blindly: reconcile, then mark it delivered or send it again. */
  | { readonly kind: "unknown"; readonly tries: number; readonly reason: string }
  /** 410: the partner wants no more. Send nothing to this endpoint until a person enables it. */
  | { readonly kind: "disabled"; readonly tries: number; readonly reason: string }
  /** Given up: a dead letter for a person, who may send it again under the same id. */
  | {
      readonly kind: "dead";
      readonly tries: number;
      readonly because: "schedule-over" | "blocked";
      readonly reason: string;
    }
  /** Another emitter has the grant; nothing was sent. */
  | { readonly kind: "not-sent"; readonly tries: number; readonly reason: string };

/** Everything the next step depends on. */
export interface Attempted {
  /** Attempts made, the one just answered included. */
  readonly tries: number;
  readonly answer: WebhookAnswer;
  readonly dedupesById: boolean;
  /** Wall clock when the answer arrived: an HTTP date in `Retry-After` counts from it. */
  readonly nowMs: number;
  /** Uniform in [0, 1), for the jitter. */
  readonly draw: number;
}

/** A gateway's word that it got no (good) answer: the partner behind it may have taken the webhook all the same. */
const GATEWAY_STATUSES = [502, 504];

/** Did the partner perhaps take it though it did not say so? */
function isAmbiguous(answer: WebhookAnswer): boolean {
  return answer.kind === "lost" || (answer.kind === "answered" && GATEWAY_STATUSES.includes(answer.status));
}

/**
 * The next step after an attempt: 2xx delivered, 410 disabled, every other answer a failure (3xx too: no redirect is
 * followed) to be tried again by the schedule. Pure.
 * @source Standard Webhooks 1.0.0, Delivery success and failure; reliability.md, Webhook dedupe and signing
 */
export function nextAttempt({ tries, answer, dedupesById, nowMs, draw }: Attempted): DeliveryStep {
  const status = answer.kind === "answered" ? answer.status : null;
  const reason = answer.kind === "answered" ? `status ${answer.status}` : `${answer.kind}: ${answer.reason}`;
  if (status !== null && status >= 200 && status <= 299) return { kind: "delivered", tries, status };
  if (status === 410) return { kind: "disabled", tries, reason };
  if (answer.kind === "blocked") return { kind: "dead", tries, because: "blocked", reason };
  if (isAmbiguous(answer) && !dedupesById) return { kind: "unknown", tries, reason };
  const askedMs = answer.kind === "answered" ? retryAfterMs(answer.retryAfter, nowMs) : null;
  const waitMs = waitMsAfter(tries, askedMs, draw);
  if (waitMs === null) return { kind: "dead", tries, because: "schedule-over", reason };
  return { kind: "retry", tries, waitMs, reason };
}

export interface DeliverOptions {
  readonly transport: WebhookTransport;
  /** The right to send; without one nobody else may send for these endpoints. */
  readonly grant?: EmissionGrant;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Longest exchange with the partner. Default 20 s; at most the grant's outbound timeout. */
  readonly timeoutMs?: number;
}

/** Makes one attempt. Its id is the item's on every attempt; timestamp and signature are new. */
export async function deliverWebhook(
  options: DeliverOptions,
  endpoint: WebhookEndpoint,
  item: OutboxItem,
): Promise<DeliveryStep> {
  const { transport, grant, clock = systemClock, random = systemRandom, timeoutMs = 20_000 } = options;
  const timeoutMaxMs = grant?.outboundTimeoutMs ?? timeoutMs;
  assert(timeoutMs <= timeoutMaxMs, `webhook: a post of ${timeoutMs} ms outlasts the grant's ${timeoutMaxMs} ms`);
  const { webhookId: id, body, contentType = "application/json", tries } = item;
  const signed = await endpoint.signer.sign({ id, attemptAt: clock.wallMs(), body });
  const headers = { "content-type": contentType, ...endpoint.headers, ...signed };
  const post = () => transport.post({ url: endpoint.url, headers, body, timeoutMs });
  const answer = await (grant === undefined ? post() : grant.run(post));
  if (answer === null) return { kind: "not-sent", tries, reason: "the emission grant is held by another" };
  const { dedupesById } = endpoint;
  return nextAttempt({ tries: tries + 1, answer, dedupesById, nowMs: clock.wallMs(), draw: random.float() });
}
