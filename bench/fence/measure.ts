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

/** One rate a round for each contender. */
export type Rounds = Readonly<Record<string, readonly Rate[]>>;

/** Runs the contenders in turn for many short rounds, every other one backwards: a slow second hits all of them. */
export async function interleaved(
  rounds: number,
  callers: number,
  seconds: number,
  contenders: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<Rounds> {
  const all = Object.entries(contenders);
  const rates = new Map<string, Rate[]>(all.map(([name]) => [name, []]));
  for (const [, call] of all) await rateOf(callers, 2 * seconds, call);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? all : all.toReversed();
    for (const [name, call] of order) rates.get(name)?.push(await rateOf(callers, seconds, call));
  }
  return Object.fromEntries(rates);
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

/** Ratio of a contender to the floor: the middle of the rounds' own ratios, with their quartiles. */
export function ratioOf(
  rounds: Rounds,
  name: string,
  floor: string,
): readonly [low: number, middle: number, high: number] {
  const base = rounds[floor] ?? [];
  const ratios = (rounds[name] ?? []).map(({ perSecond }, round) => perSecond / (base[round]?.perSecond ?? Number.NaN));
  const ascending = ratios.sort((a, b) => a - b);
  const at = (share: number) => ascending[Math.floor(share * ascending.length)] as number;
  return [at(0.25), at(0.5), at(0.75)];
}

/** The middle rate of a contender. */
export function perSecondOf(rounds: Rounds, name: string): number {
  return median((rounds[name] ?? []).map(({ perSecond }) => perSecond));
}

export function print(title: string, rounds: Rounds, floor: string): void {
  console.log(`\n${title}`);
  for (const [name, rates] of Object.entries(rounds)) {
    const [low, middle, high] = ratioOf(rounds, name, floor).map((ratio) => ratio.toFixed(2));
    const rate = `${perSecondOf(rounds, name).toFixed(0).padStart(7)}/s`;
    const p50 = `p50 ${median(rates.map(({ p50Ms }) => p50Ms)).toFixed(3)} ms`;
    const ratio = name === floor ? "the floor" : `${middle}x of the floor [${low}..${high}]`;
    console.log(`  ${name.padEnd(40)} ${rate}  ${p50}  ${ratio}`);
  }
}

/** Prints whether a goal is met, and fails the run when it is not. */
export function checkGoal(what: string, found: number, least: number): void {
  const isMet = found >= least;
  console.log(`  ${isMet ? "met   " : "MISSED"}  ${what}: at least ${least}, found ${Number(found.toPrecision(4))}`);
  if (!isMet) process.exitCode = 1;
}
