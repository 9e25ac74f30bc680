import type { GoldItem } from "../core/measure/gold.ts";
import { randomStream } from "../core/stats/random.ts";
import { seedOf } from "./digest.ts";

export type Tier = "smoke" | "full";

/** Questions of the smoke tier; the definition allows 20 to 40. @source definitions.md §2 */
const SMOKE_MAX = 40;

/**
 * The questions of a tier, in the order of the set. Smoke takes topics in turn, so that each is there in its share or
 * at least once; which of its questions is decided by the seed, so that a rerun asks the same.
 */
export function itemsOfTier(items: readonly GoldItem[], tier: Tier, seed: number): readonly GoldItem[] {
  if (tier === "full" || items.length <= SMOKE_MAX) return items;
  const byTopic = new Map<string, GoldItem[]>();
  for (const item of items) byTopic.set(item.topic, [...(byTopic.get(item.topic) ?? []), item]);
  const queues = [...byTopic]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topic, mine]) => shuffled(mine, `${seed}/${topic}`));
  // Each question stands at its relative place in its topic; the first 40 places are a proportional sample.
  const placed = queues.flatMap((queue) => queue.map((item, index) => ({ item, place: (index + 0.5) / queue.length })));
  const chosen = new Set([
    ...queues.slice(0, SMOKE_MAX).flatMap(([first]) => first ?? []),
    ...placed.sort((a, b) => a.place - b.place).map(({ item }) => item),
  ]);
  const kept = new Set([...chosen].slice(0, SMOKE_MAX));
  return items.filter((item) => kept.has(item));
}

/** Fisher-Yates with a seeded stream. */
function shuffled<T>(values: readonly T[], seedText: string): readonly T[] {
  const next = randomStream(seedOf(seedText));
  const mixed = [...values];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j] as T, mixed[i] as T];
  }
  return mixed;
}
