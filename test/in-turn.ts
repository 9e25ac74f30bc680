const DAY_MS = 86_400_000;

/**
 * So many of `items`, others every day, so that all of them are run within some days; all at once where
 * `SLUICE_TEST_ALL` is set. For what is long and alike.
 */
export function inTurn<T>(items: readonly T[], atOnce: number): readonly T[] {
  if (process.env["SLUICE_TEST_ALL"] !== undefined) return items;
  const first = (Math.floor(Date.now() / DAY_MS) * atOnce) % items.length;
  return [...items, ...items].slice(first, first + Math.min(atOnce, items.length));
}
