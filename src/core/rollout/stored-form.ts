import type { ServingArm } from "../arm.ts";
import { orderName } from "../process/order.ts";
import type { Bp, EpochMs } from "../unit.ts";
import type { Verdict } from "../verdict.ts";
import type { RolloutEvent } from "./event.ts";
import type { JournalEntry } from "./journal-entry.ts";
import { ask, compare, publish, type RolloutOrder } from "./order.ts";
import { type Rollout, SCHEMA } from "./rollout.ts";

/** A stored thing in today's shape, or why it cannot be read, in words for a person. */
export type Read<T> =
  | { readonly kind: "read"; readonly value: T }
  | { readonly kind: "refused"; readonly text: string };

/** The state of a rollout without its plan, which a store keeps by itself. */
export type RolloutState = Omit<Rollout, "plan">;

/** Work as schema 1 had it: a closed set of three, one at a time. */
type Effect1 =
  | { readonly kind: "check-parity"; readonly id: string }
  | { readonly kind: "run-probes"; readonly id: string; readonly tier: "smoke" | "full"; readonly extraRepeats: number }
  | {
      readonly kind: "set-split";
      readonly id: string;
      readonly candidateBp: Bp;
      readonly closed: readonly ServingArm[];
      readonly arms: "both" | "swap";
      readonly shadow?: true;
      readonly newEpoch: boolean;
    };

type Result1 = { readonly at: EpochMs; readonly effectId: string } & (
  | { readonly kind: "effect-succeeded"; readonly verdicts: readonly Verdict[] }
  | { readonly kind: "effect-failed"; readonly code: string; readonly message: string }
);

type State1 = Omit<RolloutState, "schema" | "awaiting" | "nextOrderIndex"> & {
  readonly schema?: never;
  readonly awaiting: Effect1 | null;
  readonly nextEffectIndex: number;
};

type Entry1 = Omit<JournalEntry, "schema" | "event" | "orders"> & {
  readonly schema?: never;
  readonly event: Exclude<RolloutEvent, { kind: "order-done" | "order-failed" }> | Result1;
  readonly effects: readonly Effect1[];
};

/** What this program, or the version before it, has written. A newer one says so in `schema`. */
export type StoredState = RolloutState | State1 | Newer;
export type StoredEntry = JournalEntry | Entry1 | Newer;

/** Some number above ours; as a type what no version writes, so that only what is known can be read. */
interface Newer {
  readonly schema: "newer";
}

function refusal(what: string, found: Newer["schema"]): { readonly kind: "refused"; readonly text: string } {
  const known = `${what} is of schema ${found}, written by a newer version; this one reads schema 1 to ${SCHEMA}`;
  const advice = "start the newer version again, or restore a backup that was made before it ran";
  return { kind: "refused", text: `${known}: nothing was changed; ${advice}` };
}

/** The state of a rollout as it was committed last, migrated where the version before wrote it. */
export function readState(rolloutId: string, stored: StoredState): Read<RolloutState> {
  if (stored.schema === undefined) return { kind: "read", value: migrated(stored) };
  if (stored.schema === SCHEMA) return { kind: "read", value: stored };
  return refusal(`the state of rollout ${rolloutId}`, stored.schema);
}

function migrated({ awaiting, nextEffectIndex, ...kept }: State1): RolloutState {
  return {
    ...kept,
    schema: SCHEMA,
    nextOrderIndex: nextEffectIndex,
    awaiting: awaiting === null ? [] : [orderOf(awaiting)],
  };
}

/**
 * A whole journal, from its first entry on: results of schema 1 name an order by its id alone, so what it was stands in
 * an entry before.
 */
export function readJournal(rolloutId: string, stored: readonly StoredEntry[]): Read<readonly JournalEntry[]> {
  const names = new Map<string, string>();
  const entries: JournalEntry[] = [];
  for (const entry of stored) {
    if (entry.schema !== undefined && entry.schema !== SCHEMA)
      return refusal(`the journal of rollout ${rolloutId}`, entry.schema);
    const read = entry.schema === SCHEMA ? entry : entryOf(entry, names);
    for (const order of read.orders) names.set(order.id, orderName(order));
    entries.push(read);
  }
  return { kind: "read", value: entries };
}

function entryOf({ event, effects, ...kept }: Entry1, names: ReadonlyMap<string, string>): JournalEntry {
  return { ...kept, schema: SCHEMA, event: eventOf(event, names), orders: effects.map(orderOf) };
}

function eventOf(event: Entry1["event"], names: ReadonlyMap<string, string>): RolloutEvent {
  if (event.kind !== "effect-succeeded" && event.kind !== "effect-failed") return event;
  const { at, effectId: orderId } = event;
  // Every order was journalled before its result could come; a journal that was cut says as much as it can.
  const of = { at, orderId, order: names.get(orderId) ?? "unknown" };
  if (event.kind === "effect-succeeded") return { kind: "order-done", ...of, verdicts: event.verdicts };
  return { kind: "order-failed", ...of, code: event.code, message: event.message };
}

function orderOf(effect: Effect1): RolloutOrder {
  switch (effect.kind) {
    case "check-parity":
      return { ...compare(), id: effect.id };
    case "run-probes":
      return { ...ask({ tier: effect.tier, extraRepeats: effect.extraRepeats }), id: effect.id };
    case "set-split": {
      const { id, kind: _, ...split } = effect;
      return { ...publish(split), id };
    }
  }
}
