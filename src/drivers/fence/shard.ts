/**
 * Which of `shards` holds a key: FNV-1a, 32 bits, over its UTF-16 units. It only spreads load; no security rests on
 * it. Frozen: another result would look for stored keys in the wrong place.
 * @source draft-eastlake-fnv
 */
export function shardOf(of: { readonly scope: string; readonly key: string }, shards: number): number {
  const text = `${of.scope}\n${of.key}`;
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % shards;
}
