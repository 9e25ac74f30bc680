export type { Claim, ClaimRequest, FenceOwner, FenceRecord, FenceState, OwnerAnswer } from "../core/fence/record.ts";
export { type CommandAdmission, admitCommand, NOTHING_SEEN, type SeenCommand } from "../core/fence/epoch.ts";
export type { Clock } from "../ports/clock.ts";
export { DriverError } from "../ports/driver-error.ts";
export type { FenceDurability, FenceStore, Settlement } from "../ports/fence-store.ts";
export type { Random } from "../ports/random.ts";
export { type ExpressRequest, type ExpressResponse, expressIdempotency } from "./adapter/express.ts";
export { type FastifyReply, type FastifyRequest, fastifyFence, fastifyIdempotency } from "./adapter/fastify.ts";
export { HONO_FENCE, type HonoContext, honoIdempotency } from "./adapter/hono.ts";
export { KOA_FENCE, type KoaContext, koaIdempotency } from "./adapter/koa.ts";
export { lambdaIdempotency } from "./adapter/lambda.ts";
export type { LambdaHttpAnswer, LambdaHttpEvent } from "./adapter/lambda-event.ts";
export { type LambdaResponseStream, type LambdaRuntime, lambdaStreamIdempotency } from "./adapter/lambda-stream.ts";
export { nextIdempotency } from "./adapter/next.ts";
export type { NodeFenceOptions } from "./adapter/node-exchange.ts";
export { type NodeHandler, nodeIdempotency } from "./adapter/node-http.ts";
export { type EffectSource, effectKey, indexKey, LITERAL_TEMPLATES } from "./effect-key.ts";
export type { KeyScope } from "./fingerprint.ts";
export { type HeartbeatTimes, LEASE_TIMES, type LossReason, timesFor } from "./heartbeat.ts";
export {
  type FenceContext,
  type FenceEvent,
  type FencedHandler,
  type Idempotency,
  type IdempotencyOptions,
  idempotency,
  notExecuted,
} from "./idempotency.ts";
export { parseIdempotencyKey } from "./idempotency-key.ts";
export { acquireLease, type Lease, type LeaseHolder, type LeaseOptions, readLease } from "./lease.ts";
export {
  createLedger,
  type EffectOrder,
  type EffectTicket,
  type LedgerEntry,
  type LedgerOptions,
  type LedgerOutcome,
  type StaleEffect,
} from "./ledger.ts";
export { memoryFence } from "./memory-store.ts";
export {
  claimKey,
  type FenceOptions,
  type HeldKey,
  type KeyAnswer,
  type KeyRequest,
  type OnceOutcome,
  once,
} from "./once.ts";
export { apiWriteRetentionMs, RETENTION_MS } from "./retention.ts";
export {
  DEFAULT_RETRY,
  type RetryOptions,
  type RetryOutcome,
  type RetryPolicy,
  type RetryRoute,
  retry,
  type Try,
  type TryAnswer,
} from "./retry.ts";
export {
  checkPins,
  checkServes,
  type LockedHandler,
  PIN_HEADERS,
  type PinDifference,
  pinHeaders,
  type PinProblem,
  type Pins,
  type PinVerdict,
  readPins,
  schemaLock,
  type SchemaLockOptions,
  type SchemaProblem,
  type Serves,
} from "./schema-lock/index.ts";
export { systemClock, systemRandom } from "./system.ts";
export * from "./webhook/index.ts";
export type {
  AddAnswer,
  ClaimedBatch,
  ClaimedRow,
  ClaimOrder,
  DeadLetter,
  DeathCause,
  InboxAnswer,
  InboxMessage,
  InboxStore,
  OutboxClaim,
  OutboxCounts,
  OutboxRow,
  OutboxStore,
} from "../ports/outbox-store.ts";
export { type ConsumeOutcome, consumeOnce, type ConsumeTurn, consumeThenCommit } from "./outbox/consume-once.ts";
export { type MemoryOutbox, memoryOutbox } from "./outbox/memory-outbox.ts";
export type { MemoryTransaction, Transact } from "./outbox/memory-transaction.ts";
export { runRelay } from "./outbox/relay.ts";
export type { RelayEnd, RelayEvent, RelayOptions, Send, SendAnswer, SendTicket } from "./outbox/relay-run.ts";
