import type { ClaimedRow } from "../../ports/outbox-store.ts";
import type { Send, SendAnswer } from "../outbox/relay-run.ts";
import { type DeliverOptions, type DeliveryStep, deliverWebhook, type WebhookEndpoint } from "./send.ts";

export interface RelaySendOptions extends DeliverOptions {
  /** Where a row goes, by its topic; null: nowhere, and the row becomes a dead letter. */
  readonly endpointOf: (row: ClaimedRow) => WebhookEndpoint | null | Promise<WebhookEndpoint | null>;
  /** The partner answered 410: send it nothing more until a person enables it. */
  readonly onDisabled?: (endpoint: WebhookEndpoint) => void | Promise<void>;
}

const encoder = new TextEncoder();

/** How soon a row that another emitter may send is looked at again. */
const GRANT_LOST_RETRY_MS = 1_000;

function answerOf(step: DeliveryStep): SendAnswer {
  switch (step.kind) {
    case "delivered":
      return { kind: "sent" };
    case "retry":
      return { kind: "failed", reason: step.reason, retryInMs: step.waitMs };
    case "unknown":
      return { kind: "unknown", reason: step.reason };
    case "not-sent":
      return { kind: "failed", reason: step.reason, retryInMs: GRANT_LOST_RETRY_MS };
    case "disabled":
    case "dead":
      return { kind: "dead", reason: step.reason };
  }
}

/**
 * The `send` of an outbox relay that posts each row as a webhook: its effect key is the webhook id, its `content-type`
 * header the body's. Give the relay a lease of at least twice `timeoutMs`, and `sinkHonoursKey: false` unless every
 * partner takes each id once; a lost answer is sent again only to a partner that does.
 */
export function webhookSend(options: RelaySendOptions): Send {
  return async (row) => {
    const endpoint = await options.endpointOf(row);
    if (endpoint === null)
      return { kind: "dead", reason: `no endpoint for the topic ${row.topic}; name one, then replay` };
    const body = typeof row.payload === "string" ? encoder.encode(row.payload) : row.payload;
    const contentType = row.headers["content-type"] ?? "application/json";
    const item = { webhookId: row.effectKey, body, contentType, tries: row.tries - 1 };
    const step = await deliverWebhook(options, endpoint, item);
    if (step.kind === "disabled") await options.onDisabled?.(endpoint);
    return answerOf(step);
  };
}
