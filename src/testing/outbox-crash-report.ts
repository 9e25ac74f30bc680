import type { ClaimedBatch, OutboxStore } from "../ports/outbox-store.ts";
import type { OutboxCrashPoint } from "./outbox-crash-process.ts";
import { eventOf, type OutboxCrashPlan, type OutboxCrashWorld, orderKeyOf, rowOfEvent } from "./outbox-crash-world.ts";

/** What one run counts while it goes. */
export interface Evidence {
  readonly crashes: Record<OutboxCrashPoint, number>;
  /** Marks the store refused, because another relay had claimed the row since. */
  staleMarks: number;
  /** Relays the store sent home, because a newer epoch had claimed. */
  staleEpochs: number;
  /** Marks the store took although another relay had claimed the row since. */
  clobbers: number;
  /** Rows given to the old colour by a claim that began after the new one's first claim had ended. */
  claimsAfterFlip: number;
  /** Claims of a row whose earlier claim had ended without a word. */
  doubtful: number;
}

/** The state of things, read back from the databases. */
export interface OutboxVerdict {
  /** Business rows of the producer. */
  readonly ordered: number;
  readonly sent: number;
  readonly dead: number;
  /** Business rows without an outbox row, outbox rows without one, and business rows written twice. */
  readonly torn: number;
  /** Outbox rows that are neither sent nor dead letters. */
  readonly unsettled: number;
  /** Events applied by the receiver more than once, each further time counted. */
  readonly duplicates: number;
  /** Events that the receiver has not applied and that are no dead letters. */
  readonly lost: number;
  /** Events that the receiver applied though nobody ordered them. */
  readonly phantoms: number;
  /** Events applied after a younger one of their order key. */
  readonly orderBreaks: number;
}

export interface OutboxCrashReport extends Evidence, OutboxVerdict {
  readonly deliveries: number;
  /** The same, after every dead letter was replayed; its order breaks are the replays themselves. */
  readonly afterReplay: OutboxVerdict;
}

/** Looks over the shoulder of every process: who claimed a row last, and whose marks are taken. */
export function watchMarks<Transaction>(evidence: Evidence) {
  const newest = new Map<string, number>();
  let epochMax = 0;
  const note = (batch: ClaimedBatch, epoch: number, epochAtStart: number) => {
    if (batch.kind !== "claimed") return;
    if (epoch < epochAtStart) evidence.claimsAfterFlip += batch.rows.length;
    if (batch.rows.length > 0) epochMax = Math.max(epochMax, epoch);
    for (const { id, token, doubtful } of batch.rows) {
      newest.set(id, Math.max(newest.get(id) ?? 0, token));
      if (doubtful) evidence.doubtful++;
    }
  };
  const isOld = ({ id, token }: { readonly id: string; readonly token: number }) => (newest.get(id) ?? 0) > token;
  const noteMark = async (wasOld: boolean, mark: Promise<boolean>) => {
    const isMarked = await mark;
    if (isMarked && wasOld) evidence.clobbers++;
    return isMarked;
  };
  return (store: OutboxStore<Transaction>): OutboxStore<Transaction> => ({
    ...store,
    async claimBatch(order) {
      const epochAtStart = epochMax;
      const batch = await store.claimBatch(order);
      note(batch, order.epoch, epochAtStart);
      return batch;
    },
    async markSent(claims) {
      const old = new Set(claims.filter(isOld).map(({ id }) => id));
      const ids = await store.markSent(claims);
      evidence.clobbers += ids.filter((id) => old.has(id)).length;
      return ids;
    },
    markFailed: (claim, ...given) => noteMark(isOld(claim), store.markFailed(claim, ...given)),
    markDead: (claim, ...given) => noteMark(isOld(claim), store.markDead(claim, ...given)),
  });
}

function countTwice(keys: readonly string[]): number {
  return keys.length - new Set(keys).size;
}

/** Events applied after a younger one of their order key; `ordered` is in the order of commits. */
function countOrderBreaks(plan: OutboxCrashPlan, ordered: readonly string[], applied: readonly string[]): number {
  const place = new Map(ordered.map((key, index) => [key, index]));
  const newest = new Map<string, number>();
  let breaks = 0;
  for (const key of applied) {
    const orderKey = orderKeyOf(plan, eventOf(key));
    if (orderKey === null) continue;
    const at = place.get(key) ?? -1;
    if (at < (newest.get(orderKey) ?? -1)) breaks++;
    newest.set(orderKey, Math.max(at, newest.get(orderKey) ?? -1));
  }
  return breaks;
}

/** Which keys have an outbox row: those that cannot be added again. Nothing is written. */
async function findRows<Transaction>(
  world: OutboxCrashWorld<Transaction>,
  plan: OutboxCrashPlan,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const store = world.open("green");
  for (let from = 0; from < keys.length; from += 500) {
    const rows = keys.slice(from, from + 500).map((key) => rowOfEvent(plan, eventOf(key)));
    const asked = world.transact(async (transaction) => {
      for (const key of (await store.add(transaction, rows)).repeated) found.add(key);
      throw new RollBack();
    });
    await asked.catch((error: unknown) => {
      if (!(error instanceof RollBack)) throw error;
    });
  }
  return found;
}

/** Ends a transaction that only asked. */
class RollBack extends Error {}

/** Reads everything back and counts what is torn, missing, doubled or out of order. */
export async function judgeRun<Transaction>(
  world: OutboxCrashWorld<Transaction>,
  plan: OutboxCrashPlan,
): Promise<OutboxVerdict> {
  const [ordered, applied] = [await world.read("ordered"), await world.read("applied")];
  const store = world.open("green");
  const { waiting, claimed, sent, dead } = await store.counts();
  const deadKeys = new Set((await store.deadLetters(plan.events)).map(({ effectKey }) => effectKey));
  const [orderedKeys, appliedKeys] = [new Set(ordered), new Set(applied)];
  const withRow = await findRows(world, plan, [...orderedKeys]);
  const rowsOfNobody = waiting + claimed + sent + dead - withRow.size;
  return {
    ordered: ordered.length,
    sent,
    dead,
    torn: orderedKeys.size - withRow.size + rowsOfNobody + countTwice(ordered),
    unsettled: waiting + claimed,
    duplicates: countTwice(applied),
    lost: ordered.filter((key) => !appliedKeys.has(key) && !deadKeys.has(key)).length,
    phantoms: applied.filter((key) => !orderedKeys.has(key)).length,
    orderBreaks: countOrderBreaks(plan, ordered, applied),
  };
}
