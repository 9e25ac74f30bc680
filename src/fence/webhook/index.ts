export type { WebhookAnswer, WebhookPost, WebhookTransport } from "../../ports/webhook-transport.ts";
export type {
  AcceptAnswer,
  InboxEntry,
  InboxOrder,
  InboxResult,
  InboxState,
  WebhookInbox,
} from "../../ports/webhook-inbox.ts";
export { type DedupeSource, dedupeKey, dedupeWindowMs, weakDedupeKey } from "./dedupe-key.ts";
export {
  type EgressLog,
  type Emission,
  type EmitOutcome,
  emitToAll,
  emitWebhook,
  type RecipientEmission,
} from "./emit.ts";
export { acquireEmissionGrant, type EmissionGrant, type GrantOptions } from "./emitter-grant.ts";
export { emptyWebhookInbox, memoryWebhookInbox, type MemoryWebhookInboxState } from "./memory-inbox.ts";
export {
  type EventReading,
  type InboundEvent,
  type ReceiveOptions,
  receiveWebhook,
  type VerifiedWebhook,
} from "./receive.ts";
export { type RelaySendOptions, webhookSend } from "./relay-send.ts";
export type { WebhookProblem } from "./refusal.ts";
export { ATTEMPT_WAITS_MS, retryAfterMs, SENDER_HORIZON_MS } from "./schedule.ts";
export { createKeyPair, createSharedSecret, readSecret, type SecretReading, type WebhookKey } from "./secret.ts";
export {
  type Attempted,
  type DeliverOptions,
  type DeliveryStep,
  deliverWebhook,
  nextAttempt,
  type OutboxItem,
  type WebhookEndpoint,
} from "./send.ts";
export { type UnsignedWebhook, type WebhookHeaders, type WebhookSigner, webhookSigner } from "./sign.ts";
export {
  compareSinkResults,
  type EmissionStats,
  type Recipient,
  recipientsOf,
  type SinkComparison,
  type SinkPolicy,
  type SinkResult,
} from "./sink.ts";
export {
  type ArrivedWebhook,
  type InvalidReason,
  TIMESTAMP_TOLERANCE_MS,
  type Verification,
  type WebhookVerifier,
  webhookVerifier,
} from "./verify.ts";
export { type WorkOptions, type WorkReport, workInbox } from "./work.ts";
