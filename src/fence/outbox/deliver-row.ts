import type { ClaimedRow, DeathCause, OutboxClaim } from "../../ports/outbox-store.ts";
import { DEFAULT_RETRY, jitterMs } from "../retry.ts";
import type { RelayRun, SendAnswer } from "./relay-run.ts";

/** One claimed row, from the claim to the mark. */
interface Delivery {
  readonly run: RelayRun;
  readonly row: ClaimedRow;
  readonly claim: OutboxClaim;
}

type Mark = "sent" | "failed" | "dead" | "released";

/**
 * Tells the store what came of a row, and the log what the store said. A store that is away learns it from the lease.
 */
async function mark({ run, row }: Delivery, kind: Mark, reason: string, call: () => Promise<boolean>) {
  try {
    const isOurs = await run.ask(kind, call);
    run.audit({ kind: isOurs ? kind : "stale", row, reason });
  } catch (error) {
    run.audit({ kind: "store-failed", error });
  }
}

function bury(delivery: Delivery, because: DeathCause, reason: string): Promise<void> {
  const { run, claim } = delivery;
  return mark(delivery, "dead", `${because}: ${reason}`, () => run.store.markDead(claim, because, reason));
}

function giveBack(delivery: Delivery, reason: string): Promise<void> {
  const { run, claim } = delivery;
  return mark(delivery, "released", reason, async () => (await run.store.release([claim])).length === 1);
}

function tryAgain(delivery: Delivery, reason: string, because: DeathCause, retryInMs?: number): Promise<void> {
  const { run, row, claim } = delivery;
  if (row.tries >= run.triesMax) return bury(delivery, because, reason);
  const waitMs = retryInMs ?? jitterMs({ ...DEFAULT_RETRY, ...run.backoff }, row.tries, run.random);
  return mark(delivery, "failed", reason, () => run.store.markFailed(claim, reason, waitMs));
}

/** The sender's answer, or `unknown` when it threw or did not answer in time. */
async function sendWithin(run: RelayRun, row: ClaimedRow): Promise<SendAnswer> {
  const [late, answered] = [new AbortController(), new AbortController()];
  const timeout = run.clock.sleep(run.sendTimeoutMs, answered.signal).then((): SendAnswer => {
    late.abort();
    return { kind: "unknown", reason: `no answer within ${run.sendTimeoutMs} ms` };
  });
  const attempt = (async () => run.send(row, { epoch: run.epoch, signal: late.signal }))();
  const answer = attempt.catch((error: unknown): SendAnswer => {
    return { kind: "unknown", reason: `send threw: ${error instanceof Error ? error.message : String(error)}` };
  });
  const first = await Promise.race([answer, timeout]);
  answered.abort();
  return first;
}

/** Why a row may not be sent now, settled with the store; null when it may. */
function refuse(delivery: Delivery, claimedAtMs: number): Promise<void> | null {
  const { run, row } = delivery;
  if (row.doubtful && !run.sinkHonoursKey) return bury(delivery, "unknown", "an earlier claim ended without a word");
  if (row.tries > run.triesMax) {
    return bury(delivery, row.doubtful ? "unknown" : "tries", `${row.tries - 1} tries ended without a word`);
  }
  const end = run.end();
  if (end !== null) return giveBack(delivery, end);
  const leftMs = claimedAtMs + run.selfStopMs - run.clock.monoMs();
  return leftMs < run.sendTimeoutMs ? giveBack(delivery, `${leftMs} ms of the claim are left`) : null;
}

/**
 * Sends one claimed row and marks it. Never throws. `claimedAtMs` is the monotonic time before the claim was sent: a
 * send that could outlive the claim is not begun.
 */
export async function deliverRow(run: RelayRun, row: ClaimedRow, claimedAtMs: number): Promise<void> {
  const delivery: Delivery = { run, row, claim: { owner: run.owner, id: row.id, token: row.token } };
  const refused = refuse(delivery, claimedAtMs);
  if (refused !== null) return refused;
  const answer = await sendWithin(run, row);
  switch (answer.kind) {
    case "sent":
      return mark(delivery, "sent", "", async () => (await run.store.markSent([delivery.claim])).length === 1);
    case "failed":
      return tryAgain(delivery, answer.reason, "tries", answer.retryInMs);
    case "dead":
      return bury(delivery, "refused", answer.reason);
    case "unknown":
      if (run.sinkHonoursKey) return tryAgain(delivery, answer.reason, "unknown");
      return bury(delivery, "unknown", answer.reason);
  }
}
