import type { Block, Reading } from "../../src/core/judge/block.ts";
import type { ProbeReport } from "../../src/core/measure/report.ts";
import { type RandomStream, randomStream } from "../../src/core/stats/random.ts";
import { binOf } from "../../src/core/window/sketch.ts";
import { type ArmWindow, COUNTERS, type Counter } from "../../src/core/window/window.ts";
import { aBlock, after } from "../builders.ts";
import { aProbeReport } from "../probe-report.ts";

/** What one arm does in a recorded world; healthy where nothing is said. */
interface ArmStory {
  /** Shares of requests that fail with 503, and that are cut inside the body. */
  readonly errors?: number;
  readonly cuts?: number;
  readonly p95Factor?: number;
  readonly cold?: number;
  readonly counters?: Partial<Record<Counter, number>>;
  readonly queueAgeMs?: (second: number) => number;
  readonly concurrency?: number;
  readonly isSilent?: boolean;
}

/** A world of two arms: shares in percent, each held so many seconds, and what the arms do. */
export interface RecordedWorld {
  readonly name: string;
  readonly ladder: readonly (readonly [percent: number, seconds: number])[];
  readonly requestsPerSecond: number;
  readonly stable: ArmStory;
  readonly candidate: ArmStory;
  /** Readings of the metric `queue-age`, by second; absent: nobody reads it. */
  readonly metric?: (second: number) => Reading["candidate"];
}

const CLIMB = [
  [1, 40],
  [10, 60],
  [50, 60],
  [100, 70],
] as const;
const WATCHED = Object.fromEntries(COUNTERS.map((name) => [name, 0]));
const steady = { errors: 0.005, counters: { ...WATCHED, cacheLookups: 50, cacheHits: 40, repeatDeliveries: 20 } };
const repeats = { ...steady.counters, suppressedDeliveries: 20 };
const healthy: ArmStory = { ...steady, counters: repeats, queueAgeMs: () => 500, concurrency: 8 };
const world = (name: string, candidate: ArmStory, over: Partial<RecordedWorld> = {}): RecordedWorld => ({
  name,
  ladder: CLIMB,
  requestsPerSecond: 60,
  stable: healthy,
  candidate: { ...healthy, ...candidate },
  metric: () => ({ kind: "value", value: 1 }),
  ...over,
});

/** Worlds that between them reach the branches of every traffic gate. */
export const WORLDS: readonly RecordedWorld[] = [
  world("healthy", {}),
  world("busy", { cold: 0.03 }, { requestsPerSecond: 400 }),
  world("dead", { errors: 1 }),
  world("errors", { errors: 0.06 }),
  world("new class", { cuts: 0.05 }),
  world("slow", { p95Factor: 1.8, concurrency: 12 }),
  world("cold", { cold: 0.3 }),
  world("duplicates", { counters: { ...repeats, duplicateEffects: 1, lostWrites: 1, stickyViolations: 1 } }),
  world("collisions", { counters: { ...repeats, cacheCollisions: 1, toolLoops: 1, cacheHits: 10 } }),
  world("let through", { counters: { ...repeats, suppressedDeliveries: 15 } }),
  world("queue grows", { queueAgeMs: (second) => 500 + 40 * second }, { metric: (s) => ({ kind: "value", value: s }) }),
  world("unwatched", { counters: {} }, { metric: () => ({ kind: "no-data", reason: "the series is stale" }) }),
  world("silent candidate", { isSilent: true }, { metric: () => ({ kind: "error", reason: "two series" }) }),
  world(
    "flip",
    { errors: 0.05, p95Factor: 1.5 },
    {
      ladder: [
        [0, 130],
        [100, 200],
      ],
    },
  ),
  world(
    "leak at 100",
    {},
    {
      ladder: [
        [10, 60],
        [100, 130],
      ],
      stable: { ...healthy, isSilent: false },
    },
  ),
];

const chance = (random: RandomStream, share: number, count: number): number => {
  let hits = 0;
  for (let index = 0; index < count; index++) if (random() < share) hits++;
  return hits;
};

function latencies(random: RandomStream, count: number, factor: number): readonly number[] {
  const bins = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const bin = binOf(400 * factor * Math.exp(0.3 * normal));
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  return [...bins].sort(([a], [b]) => a - b).flat();
}

function armAt(random: RandomStream, story: ArmStory, requests: number, second: number): Partial<ArmWindow> {
  if (story.isSilent === true || requests === 0) return {};
  const errors = chance(random, story.errors ?? 0, requests);
  const cuts = chance(random, story.cuts ?? 0, requests - errors);
  const answered = requests - errors - cuts;
  const cold = chance(random, story.cold ?? 0.01, answered);
  const classes = { "headers|5xx|503": errors, "body|network|ECONNRESET": cuts };
  const queue = story.queueAgeMs?.(second);
  return {
    requests,
    failures: errors + cuts,
    classes: Object.fromEntries(Object.entries(classes).filter(([, count]) => count > 0)),
    warm: latencies(random, answered - cold, story.p95Factor ?? 1),
    cold: latencies(random, cold, 3),
    newUnits: Math.ceil(requests / 4),
    counters: story.counters ?? {},
    gauges: {
      ...(queue === undefined ? {} : { queueAgeP95Ms: { sum: queue + 20 * random(), readings: 1 } }),
      ...(story.concurrency === undefined ? {} : { instanceConcurrency: { sum: story.concurrency, readings: 1 } }),
    },
  };
}

/** One second of a world: a block, and a reading of its metric where somebody reads it. */
export interface RecordedSecond {
  readonly percent: number;
  readonly second: number;
  readonly block: Block;
  readonly reading: Reading | null;
  /** Last second at its share. */
  readonly isLast: boolean;
}

const drawn = new Map<RecordedWorld, readonly RecordedSecond[]>();

/** Every second of a world, drawn from one seed, once. */
export function secondsOf(world: RecordedWorld): readonly RecordedSecond[] {
  const seconds = drawn.get(world) ?? draw(world);
  drawn.set(world, seconds);
  return seconds;
}

function draw({
  name,
  ladder,
  requestsPerSecond,
  stable,
  candidate,
  metric,
}: RecordedWorld): readonly RecordedSecond[] {
  const random = randomStream([...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 2 ** 31, 7));
  const seconds: RecordedSecond[] = [];
  for (const [percent, length] of ladder) {
    for (let held = 1; held <= length; held++) {
      const second = seconds.length + 1;
      const mine = chance(random, percent / 100, requestsPerSecond);
      const arms = [
        armAt(random, stable, requestsPerSecond - mine, second),
        armAt(random, candidate, mine, second),
      ] as const;
      const value = second % 10 === 0 ? metric?.(second) : undefined;
      const own = { kind: "value", value: 1 } as const;
      const reading =
        value === undefined ? null : { metric: "queue-age", atMs: after(second * 1_000), candidate: value };
      seconds.push({
        percent,
        second,
        block: aBlock(percent, arms[0], arms[1], second),
        reading: reading === null ? null : { ...reading, stable: own },
        isLast: held === length,
      });
    }
  }
  return seconds;
}

const lost = { coverage: { estimate: -0.2, ci: [-0.3, -0.1] as const } };
const topic = (mean: number, low: number, high: number) => ({ mean, ci: [low, high] as const, questions: 12 });

/** Probe reports that between them reach the branches of every probe gate. */
export const REPORTS: Readonly<Record<string, ProbeReport>> = {
  healthy: aProbeReport(),
  calm: aProbeReport({
    paired: {
      coverage: { estimate: 0, ci: [-0.01, 0.01] },
      flipRate: { estimate: 0, ci: [-0.01, 0.01] },
      convergentShare: { estimate: 0, ci: [-0.01, 0.01] },
      deltaS: { estimate: 0, ci: [-0.01, 0.01], median: 0, p95: 0 },
    },
  }),
  alone: aProbeReport({ stable: null }),
  "dropped sections": aProbeReport({
    stable: { coverage: 0.9, coverageCi: [0.85, 0.95] },
    candidate: { coverage: 0.5, coverageCi: [0.45, 0.55], median: 0.62 },
    paired: lost,
  }),
  "lost topic": aProbeReport({
    stable: { topics: { billing: topic(0.9, 0.8, 1), refunds: topic(0.6, 0.4, 0.72) } },
    candidate: { topics: { billing: topic(0.3, 0.2, 0.5), refunds: topic(0.55, 0.4, 0.69) } },
    paired: { coverageByTopic: { billing: topic(-0.6, -0.8, -0.4), refunds: topic(-0.05, -0.3, 0.2) } },
  }),
  "far text": aProbeReport({ candidate: { median: 0.5, p95: 0.9 } }),
  drifted: aProbeReport({
    candidate: { median: 0.44 },
    paired: { deltaS: { estimate: 0.08, ci: [0.05, 0.1], median: 0.08, p95: 0.1 } },
  }),
  flips: aProbeReport({
    candidate: { flipRate: 0.3, flips: 2, convergent: 0.5, states: { "→": 25, "<>": 20, "×": 5 } },
    paired: { flipRate: { estimate: 0.3, ci: [0.2, 0.4] }, convergentShare: { estimate: -0.5, ci: [-0.6, -0.4] } },
  }),
  "some flips": aProbeReport({ candidate: { flipRate: 0.1, flips: 2, convergent: 0.9 } }),
  "flips asked again": aProbeReport({ candidate: { flipRate: 0.1, flips: 2, convergent: 0.9 }, repeats: 4 }),
  "breaks the contract": aProbeReport({ candidate: { schemaViolations: 30 } }),
  "failing runs": aProbeReport({
    candidate: { errors: 60 },
    paired: { errorsOnly: { stable: 0, candidate: 60 } },
  }),
  "both failing": aProbeReport({ stable: { errors: 30 }, candidate: { errors: 30 } }),
  unanswered: aProbeReport({ candidate: { errors: 300, measured: 0, states: { unknown: 50 } } }),
  "no run": aProbeReport({ candidate: { runs: 0, measured: 0, states: { unknown: 50 } } }),
  "no decoy": aProbeReport({ selfTest: "did not fire" }),
  uncalibrated: aProbeReport({
    calibration: { mGold: 0.4, mDecoy: 0.45, auc: 0.6, usable: false, reason: "AUC 0.60 is under 0.90" },
  }),
};
