import { assert } from "../core/assert.ts";
import { epochMs } from "../core/unit.ts";
import type { AcceptAnswer, InboxEntry, InboxOrder, WebhookInbox } from "../ports/webhook-inbox.ts";

/** What an inbox brings to its conformance run. */
export interface InboxWorld {
  /** One handle; every handle of a world sees the same data, as two processes would. */
  open(): WebhookInbox;
  /** Lets at least `ms` pass on the inbox's clock. */
  advance(ms: number): Promise<void>;
  /** Unique for each run, so that a shared server needs no cleaning. */
  readonly prefix: string;
  /** A lease time and window the inbox's clock resolves well, e.g. 400 on a real server. */
  readonly unitMs: number;
}

export interface InboxCase {
  readonly name: string;
  run(world: InboxWorld): Promise<void>;
}

/** Longer than any case takes, in ms. */
const KEEP_MS = 60_000;

/** A webhook of this world; `more` replaces what a case is about. The dedupe key follows id, revision and tenant. */
export function orderOf(world: InboxWorld, eventId: string, more: Partial<InboxOrder> = {}): InboxOrder {
  const { tenant = `${world.prefix}-acme`, endpoint = "/hooks", revision = null, action = "apply" } = more;
  return {
    dedupeKey: `${tenant} ${endpoint} ${eventId} ${revision} ${action}`,
    tenant,
    provider: "pay",
    endpoint,
    eventId,
    action,
    revision,
    digest: "digest-1",
    body: Uint8Array.of(123, 125),
    headers: { "content-type": "application/json" },
    receivedAt: epochMs(1_700_000_000_000),
    retainMs: KEEP_MS,
    ...more,
  };
}

/** Fails unless the two are the same value. */
export function same(found: unknown, wanted: unknown, what: string): void {
  assert(Object.is(found, wanted), `${what}: expected ${String(wanted)}, found ${String(found)}`);
}

/** Accepts and fails unless the answer is `kind`. */
export async function accepted(inbox: WebhookInbox, order: InboxOrder, kind: AcceptAnswer["kind"], what: string) {
  same((await inbox.accept(order)).kind, kind, what);
}

/** Takes until nothing of this world is handed out, settling each as done. Returns their ids in that order. */
export async function drain(world: InboxWorld, inbox: WebhookInbox): Promise<readonly string[]> {
  const ids: string[] = [];
  for (;;) {
    const entries = await takeOwn(world, inbox, 50);
    if (entries.length === 0) return ids;
    for (const entry of entries) {
      same(await inbox.settle(entry, { kind: "done" }), true, `settled ${entry.eventId}`);
      ids.push(entry.revision === null ? entry.eventId : `${entry.eventId}/${entry.revision}`);
    }
  }
}

/** Takes; on a shared server only entries of this world count, and others are left to their lease. */
export async function takeOwn(
  world: InboxWorld,
  inbox: WebhookInbox,
  limit: number,
  leaseMs = KEEP_MS,
): Promise<readonly InboxEntry[]> {
  const entries = await inbox.take(limit, leaseMs);
  return entries.filter(({ tenant }) => tenant.startsWith(`${world.prefix}-`));
}
