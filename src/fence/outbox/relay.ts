import type { Clock } from "../../ports/clock.ts";
import type { ClaimedBatch, ClaimOrder, OutboxClaim } from "../../ports/outbox-store.ts";
import { deliverRow } from "./deliver-row.ts";
import { openRun, type RelayEnd, type RelayOptions, type RelayRun } from "./relay-run.ts";

/** Claims rows; those of an answer that came too late are given back, because nobody will send them. */
async function claimRows(run: RelayRun, order: ClaimOrder): Promise<ClaimedBatch> {
  let latest = 0;
  const claim = async (): Promise<ClaimedBatch> => {
    const mine = ++latest;
    const batch = await run.store.claimBatch(order);
    if (mine !== latest && batch.kind === "claimed") {
      await run.store.release(batch.rows.map(({ id, token }): OutboxClaim => ({ owner: order.owner, id, token })));
    }
    return batch;
  };
  try {
    return await run.ask("claimBatch", claim);
  } catch (error) {
    latest++;
    throw error;
  }
}

/** One claim of as many rows as can be sent at once. Null: nothing more is due now. */
async function takeTurn(run: RelayRun, active: Set<Promise<void>>): Promise<"more" | "stale-epoch" | null> {
  const { owner, epoch, leaseMs, afterDead } = run;
  const [limit, sentAtMs] = [run.concurrency - active.size, run.clock.monoMs()];
  const batch = await claimRows(run, { owner, epoch, leaseMs, limit, afterDead });
  if (batch.kind === "stale-epoch") {
    run.audit({ kind: "stale-epoch", epoch: batch.epoch });
    return "stale-epoch";
  }
  for (const row of batch.rows) {
    const delivery: Promise<void> = deliverRow(run, row, sentAtMs).finally(() => active.delete(delivery));
    active.add(delivery);
  }
  return batch.rows.length === limit ? "more" : null;
}

/** Waits for the next poll, the next end of a send (its order key may go on now), or the signal. */
async function rest(clock: Clock, pollMs: number, signal: AbortSignal, active: ReadonlySet<Promise<void>>) {
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  await Promise.race([clock.sleep(pollMs, over.signal), ...active]);
  signal.removeEventListener("abort", end);
  end();
}

/**
 * Claims due rows and sends them until `signal` aborts or the grant is lost, and then waits for the sends under way.
 * Only as many rows are claimed as can be sent at once, so no claim grows old in a queue. An error of the store ends
 * nothing: it is told to `audit`, and the store is asked again after `pollMs`.
 * Every event leaves at least once or ends as a dead letter; the receiver's dedupe makes it once.
 * @source reliability.md, Semantics, Webhook dedupe ("Outbox")
 */
export async function runRelay<Transaction>(
  options: RelayOptions<Transaction>,
  signal: AbortSignal,
): Promise<RelayEnd> {
  const run = openRun(options, signal);
  const active = new Set<Promise<void>>();
  let end: RelayEnd | null = run.end();
  while (end === null) {
    if (active.size >= run.concurrency) await Promise.race(active);
    else {
      const found = await takeTurn(run, active).catch((error: unknown) => {
        run.audit({ kind: "store-failed", error });
        return null;
      });
      if (found === "stale-epoch") end = found;
      if (found === null) await rest(run.clock, run.pollMs, signal, active);
    }
    end ??= run.end();
  }
  await Promise.all(active);
  return end;
}
