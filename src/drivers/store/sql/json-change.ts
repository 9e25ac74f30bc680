import { editBetween, edited, type ListEdit } from "./list-edit.ts";

/** Any JSON, and members that are undefined, which JSON leaves out. */
type Value = unknown;
type Members = Readonly<Record<string, Value>>;

/**
 * What differs between two values as JSON: `[value]` stands for a new value, an object for members that differ, a
 * longer list for the edit of a list of plain values.
 */
export type JsonChange = readonly [Value] | ListEdit | { readonly [member: string]: JsonChange };

/**
 * The change that makes `after` of `before`; null for none. What the two share is not looked into, so that the cost is
 * that of what differs. An object that lost a member or changed their order is new; so is a list of objects that became
 * shorter.
 */
export function changeBetween(before: Value, after: Value): JsonChange | null {
  if (before === after) return null;
  const [old, young] = [membersOf(before), membersOf(after)];
  if (old === null || young === null || Array.isArray(before) !== Array.isArray(after)) return [after];
  if (isPlainList(before) && isPlainList(after)) {
    const edit = editBetween(before, after);
    return edit.length === 0 ? null : edit;
  }
  const [oldNames, names] = [namesOf(old), namesOf(young)];
  if (oldNames.some((name, index) => names[index] !== name)) return [after];
  const changes: [string, JsonChange][] = [];
  for (const [index, name] of names.entries()) {
    const change = index < oldNames.length ? changeBetween(old[name], young[name]) : ([young[name]] as const);
    if (change !== null) changes.push([name, change]);
  }
  return changes.length === 0 ? null : Object.fromEntries(changes);
}

/** `before`, which was read from JSON, after a change. */
export function changed(before: Value, change: JsonChange): Value {
  if (isList(change)) return change.length === 1 ? change[0] : edited(before as readonly Value[], change as ListEdit);
  const members = new Map(Object.entries(before as Members)); // A map, because a member may have any name.
  for (const [name, one] of Object.entries(change)) members.set(name, changed(members.get(name), one));
  return Array.isArray(before) ? [...members.values()] : Object.fromEntries(members);
}

function isList(change: JsonChange): change is readonly [Value] | ListEdit {
  return Array.isArray(change);
}

/** A list that is compared value by value; one with objects in it is looked into. */
function isPlainList(value: Value): value is readonly Value[] {
  return Array.isArray(value) && value.every((one) => membersOf(one) === null);
}

function membersOf(value: Value): Members | null {
  return typeof value === "object" && value !== null ? (value as Members) : null;
}

/** Names in the order of their JSON; a list has its indices. */
function namesOf(members: Members): readonly string[] {
  const names = Object.keys(members);
  return Array.isArray(members) ? names : names.filter((name) => members[name] !== undefined);
}
