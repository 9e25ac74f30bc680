/** What one run of callers did. */
export interface Rate {
  readonly perSecond: number;
  readonly p50Ms: number;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

/** Calls per second of `callers` that each call again as soon as they are answered. */
export async function rateOf(callers: number, seconds: number, call: () => Promise<unknown>): Promise<Rate> {
  const took: number[] = [];
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  const caller = async () => {
    for (let atMs = performance.now(); atMs < endMs; ) {
      await call();
      const nowMs = performance.now();
      took.push(nowMs - atMs);
      atMs = nowMs;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { perSecond: took.length / ((performance.now() - startMs) / 1_000), p50Ms: median(took) };
}

/** Runs the contenders in turn, several rounds, and keeps the median of each: a slow minute hits all of them. */
export async function interleaved(
  rounds: number,
  callers: number,
  seconds: number,
  contenders: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<Readonly<Record<string, Rate>>> {
  const rates = new Map<string, Rate[]>(Object.keys(contenders).map((name) => [name, []]));
  for (const call of Object.values(contenders)) await rateOf(callers, seconds / 4, call);
  for (let round = 0; round < rounds; round++) {
    for (const [name, call] of Object.entries(contenders)) rates.get(name)?.push(await rateOf(callers, seconds, call));
  }
  const middle = (of: readonly Rate[]) => ({
    perSecond: median(of.map((r) => r.perSecond)),
    p50Ms: median(of.map((r) => r.p50Ms)),
  });
  return Object.fromEntries([...rates].map(([name, of]) => [name, middle(of)]));
}

/** Fresh keys of about 33 bytes, one in ten a repeat; counts how many are distinct. */
export function keySource(prefix: string) {
  const recent: string[] = [];
  let asked = 0;
  const distinct = new Set<string>();
  return {
    distinct,
    next(): string {
      asked++;
      if (asked % 10 === 0 && recent.length > 0) return recent[(asked * 7) % recent.length] as string;
      const key = `${prefix}:evt:${asked.toString(36).padStart(8, "0")}:rel-17`;
      if (recent.length < 1_000) recent.push(key);
      else recent[asked % 1_000] = key;
      distinct.add(key);
      return key;
    },
  };
}

export function print(title: string, rates: Readonly<Record<string, Rate>>, floor: string): void {
  console.log(`\n${title}`);
  const base = rates[floor] as Rate;
  for (const [name, { perSecond, p50Ms }] of Object.entries(rates)) {
    const ratio = (perSecond / base.perSecond).toFixed(2);
    console.log(
      `  ${name.padEnd(58)} ${perSecond.toFixed(0).padStart(7)}/s  p50 ${p50Ms.toFixed(3)} ms  ${ratio}x of the floor`,
    );
  }
}
