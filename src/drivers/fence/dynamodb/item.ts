import type { FenceRecord } from "../../../core/fence/record.ts";
import type { Attribute, Item } from "./client.ts";

/**
 * Keys hold no line break, so the name is unique and the key can be cut off again. Below the 2 048 bytes of a partition
 * key.
 */
export const nameOf = (of: { readonly scope: string; readonly key: string }) => `r:${of.key}\n${of.scope}`;

const text = (item: Item, name: string) => (item[name] as { readonly S: string }).S;
const number = (item: Item, name: string) => Number((item[name] as { readonly N: string }).N);
const has = (item: Item, name: string) => item[name] !== undefined;

/**
 * A record as an item. `ttl` (seconds) exists only on results: DynamoDB's own expiry deletes nothing else, so locked
 * and unknown keys stay.
 */
export function itemOf(record: FenceRecord): Item {
  const { scope, key, kind, state, fingerprint, attemptId, token, beat, leaseUntilMs, createdAtMs, note } = record;
  const { effectKey, result, expiresAtMs } = record;
  const texts = { pk: nameOf(record), scope, key, kind, state, fingerprint, attemptId, note };
  const optional = { ...(effectKey === null ? {} : { effectKey }), ...(result === null ? {} : { result }) };
  const expiry = expiresAtMs === null ? {} : { expiresAtMs, ttl: Math.ceil(expiresAtMs / 1_000) };
  const item: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries({ ...texts, ...optional })) item[name] = { S: value };
  for (const [name, value] of Object.entries({ token, beat, leaseUntilMs, createdAtMs, ...expiry }))
    item[name] = { N: `${value}` };
  return item;
}

export function recordOf(item: Item): FenceRecord {
  return {
    scope: text(item, "scope"),
    key: text(item, "key"),
    kind: text(item, "kind") as FenceRecord["kind"],
    state: text(item, "state") as FenceRecord["state"],
    fingerprint: text(item, "fingerprint"),
    attemptId: text(item, "attemptId"),
    token: number(item, "token"),
    beat: number(item, "beat"),
    leaseUntilMs: number(item, "leaseUntilMs"),
    effectKey: has(item, "effectKey") ? text(item, "effectKey") : null,
    note: text(item, "note"),
    result: has(item, "result") ? text(item, "result") : null,
    createdAtMs: number(item, "createdAtMs"),
    expiresAtMs: has(item, "expiresAtMs") ? number(item, "expiresAtMs") : null,
  };
}
