/**
 * How one list of plain values becomes another: how many to keep, how many to leave out, what to put there; then again
 * from there. What is left at the end is kept.
 */
export type ListEdit = readonly (number | readonly unknown[])[];

/** Differences that are looked for at one place; more are told as one. */
const AHEAD = 6;
/** So many equal values in a row are no accident. */
const ALIKE = 2;

/**
 * An edit that makes `after` of `before`, a short one where few values were put in, left out or replaced. Sketches are
 * such lists: pairs of a bin and its count, in which a window adds some bins and raises some counts.
 */
export function editBetween(before: readonly unknown[], after: readonly unknown[]): ListEdit {
  const edit: (number | readonly unknown[])[] = [];
  let [from, to, kept] = [0, 0, 0];
  while (from < before.length || to < after.length) {
    if (from < before.length && to < after.length && before[from] === after[to]) {
      [from, to, kept] = [from + 1, to + 1, kept + 1];
      continue;
    }
    const [dropped, added] = nextAlike(before, from, after, to);
    edit.push(kept, dropped, after.slice(to, to + added));
    [from, to, kept] = [from + dropped, to + added, 0];
  }
  return edit;
}

/** `before` after an edit. */
export function edited(before: readonly unknown[], edit: ListEdit): unknown[] {
  const after: unknown[] = [];
  let from = 0;
  for (let at = 0; at < edit.length; at += 3) {
    const [kept, dropped, added] = edit.slice(at, at + 3) as [number, number, readonly unknown[]];
    after.push(...before.slice(from, from + kept), ...added);
    from += kept + dropped;
  }
  return [...after, ...before.slice(from)];
}

/** The least to drop and to add before both lists go on alike. */
function nextAlike(
  before: readonly unknown[],
  from: number,
  after: readonly unknown[],
  to: number,
): readonly [dropped: number, added: number] {
  const [left, more] = [before.length - from, after.length - to];
  for (let both = 1; both <= 2 * AHEAD; both++) {
    for (let dropped = Math.max(0, both - more); dropped <= Math.min(both, left); dropped++) {
      const added = both - dropped;
      if (isAlike(before, from + dropped, after, to + added)) return [dropped, added];
    }
  }
  return [Math.min(left, AHEAD), Math.min(more, AHEAD)];
}

function isAlike(before: readonly unknown[], from: number, after: readonly unknown[], to: number): boolean {
  for (let next = 0; next < ALIKE; next++) {
    const [isOver, isAfterOver] = [from + next >= before.length, to + next >= after.length];
    if (isOver || isAfterOver) return isOver && isAfterOver;
    if (before[from + next] !== after[to + next]) return false;
  }
  return true;
}
