import type { InboxEntry, InboxResult, WebhookInbox } from "../../ports/webhook-inbox.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import { type FenceOptions, type HeldKey, type OnceOutcome, once } from "../once.ts";
import { RETENTION_MS } from "../retention.ts";
import { jitterMs } from "../retry.ts";
import { systemRandom } from "../system.ts";

export interface WorkOptions {
  readonly inbox: WebhookInbox;
  /** Where it is recorded that a webhook's work was done; its keys are the dedupe keys. */
  readonly fence: FenceOptions;
  /**
   * True only when the work refuses a second run under the dedupe key (a unique row, a provider's idempotency key).
   * Then work that failed or died is done again; otherwise its outcome is unknown and the webhook becomes a dead
   * letter.
   */
  readonly isResumable: boolean;
  /** Webhooks taken at once. Default 10. */
  readonly batch?: number;
  /** How long they are ours. Work that takes longer is safe, but handed out in vain. Default 60 s. */
  readonly leaseMs?: number;
  /** Times one webhook is tried before it is given up. Default 10. */
  readonly triesMax?: number;
}

/** How many of one batch ended how. `lost`: the take ran out and somebody else answers for it. */
export type WorkReport = Readonly<Record<InboxResult["kind"] | "lost", number>>;

const BACKOFF = { tries: 3, baseMs: 2_000, capMs: 3_600_000, budgetMs: 3_600_000 } as const;

function resultOf(outcome: OnceOutcome<null>): InboxResult {
  switch (outcome.kind) {
    case "done":
      return { kind: "done" };
    case "busy":
      return { kind: "again", delayMs: outcome.retryAfterMs, reason: "another worker has it" };
    case "unknown":
      return { kind: "dead", reason: "an attempt failed or died half-way; find out, settle its key, then revive it" };
    case "mismatch":
      return { kind: "dead", reason: "its dedupe key was used for other work" };
    default:
      return { kind: "again", delayMs: BACKOFF.baseMs, reason: `result ${outcome.kind}; the next attempt finds out` };
  }
}

async function workOne(
  options: WorkOptions,
  entry: InboxEntry,
  work: (entry: InboxEntry, held: HeldKey) => Promise<void>,
): Promise<keyof WorkReport> {
  const { fence, isResumable, inbox, triesMax = 10 } = options;
  const { dedupeKey: key, digest: fingerprint, tenant, takes } = entry;
  const request = {
    scope: canonicalJson(["inbox", tenant]),
    key,
    fingerprint,
    effectKey: isResumable ? key : null,
  };
  const retentionMs = fence.retentionMs ?? RETENTION_MS.webhooks;
  const result = await once<null>({ ...fence, retentionMs }, request, async (held) => {
    await work(entry, held);
    return null;
  }).then(resultOf, (error: unknown): InboxResult => {
    const reason = String(error instanceof Error ? error.message : error).slice(0, 256);
    if (takes >= triesMax) return { kind: "dead", reason };
    return { kind: "again", delayMs: jitterMs(BACKOFF, takes, fence.random ?? systemRandom), reason };
  });
  return (await inbox.settle(entry, result)) ? result.kind : "lost";
}

/**
 * Takes one batch from the inbox and does its work, each webhook at most once: I7, every acknowledged webhook ends as
 * one done work or one dead letter. Call it in a loop; an empty report means that nothing is due. Throws `DriverError`
 * when the inbox does not answer.
 */
export async function workInbox(
  options: WorkOptions,
  work: (entry: InboxEntry, held: HeldKey) => Promise<void>,
): Promise<WorkReport> {
  const entries = await options.inbox.take(options.batch ?? 10, options.leaseMs ?? 60_000);
  const kinds = await Promise.all(entries.map((entry) => workOne(options, entry, work)));
  const count = (kind: keyof WorkReport) => kinds.filter((found) => found === kind).length;
  return { done: count("done"), again: count("again"), dead: count("dead"), lost: count("lost") };
}
