import type { Arm } from "../../core/arm.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import { sha256Hex } from "../digest.ts";
import { claimKey, type FenceOptions, type HeldKey } from "../once.ts";
import {
  type DeliverOptions,
  type DeliveryStep,
  deliverWebhook,
  type OutboxItem,
  type WebhookEndpoint,
} from "./send.ts";
import type { Recipient } from "./sink.ts";

/** For the wide event of the request that emitted. @source definitions.md §10, WE-7 */
export interface EgressLog {
  readonly webhook: string;
  readonly tries: number;
  readonly dedupe_key: string;
}

export type EmitOutcome =
  | DeliveryStep
  /** Delivered before, by this arm or another: nothing was sent. */
  | { readonly kind: "delivered-before"; readonly tries: number }
  /** Another attempt is under way. */
  | { readonly kind: "busy"; readonly tries: number; readonly retryAfterMs: number }
  /** The id was used for another body: our own mistake, to be looked at by a person. */
  | { readonly kind: "conflict"; readonly tries: number };

export interface Emission {
  readonly outcome: EmitOutcome;
  readonly egress: EgressLog;
}

/**
 * Ends a claim as the attempt ended. What certainly was not taken is given back; what may have been taken ends unknown,
 * unless the partner takes each id once.
 */
async function settleClaim(held: HeldKey, step: DeliveryStep): Promise<void> {
  switch (step.kind) {
    case "delivered":
      // Not recorded is no harm: the claim runs out, and is resumed under the same id or ends as unknown.
      await held.complete(JSON.stringify({ status: step.status, tries: step.tries })).catch(() => null);
      return;
    case "unknown":
      return held.expire();
    default:
      await held.release().catch(() => false);
  }
}

/**
 * One attempt to send a webhook that at most one attempt may win, across arms, regions and crashes: the claim is its id
 * at this endpoint. Call it again after a `retry`, with `tries` raised. An unreachable store throws `DriverError` and
 * nothing was sent. `unknown` stays so until `store.settle` says what the partner says.
 */
export async function emitWebhook(
  fence: FenceOptions,
  options: DeliverOptions,
  endpoint: WebhookEndpoint,
  item: OutboxItem,
): Promise<Emission> {
  const { webhookId, tries } = item;
  const logged = (outcome: EmitOutcome): Emission => ({
    outcome,
    egress: { webhook: endpoint.id, tries: outcome.tries, dedupe_key: webhookId },
  });
  const claim = await claimKey(fence, {
    scope: canonicalJson(["webhook", endpoint.id]),
    key: webhookId,
    fingerprint: await sha256Hex(new Uint8Array(item.body)),
    effectKey: endpoint.dedupesById ? webhookId : null,
  });
  switch (claim.kind) {
    case "done":
      return logged({ kind: "delivered-before", tries });
    case "busy":
      return logged({ kind: "busy", tries, retryAfterMs: claim.retryAfterMs });
    case "mismatch":
      return logged({ kind: "conflict", tries });
    case "unknown":
      return logged({ kind: "unknown", tries, reason: "an earlier attempt ended without an answer" });
    case "held":
      break;
  }
  const step = await deliverWebhook(options, endpoint, item).catch(async (error: unknown) => {
    await claim.held.expire();
    throw error;
  });
  await settleClaim(claim.held, step);
  return logged(step);
}

/** How one webhook fared at one recipient. */
export interface RecipientEmission extends Emission {
  readonly arm: Arm;
  readonly role: Recipient["role"];
}

/** Emits to every recipient; what happens at the sink changes nothing for the partner. */
export function emitToAll(
  fence: FenceOptions,
  options: DeliverOptions,
  arm: Arm,
  recipients: readonly Recipient[],
  item: OutboxItem,
): Promise<readonly RecipientEmission[]> {
  return Promise.all(
    recipients.map(async ({ role, endpoint }) => {
      const emission = await emitWebhook(fence, options, endpoint, item);
      return { arm, role, ...emission };
    }),
  );
}
