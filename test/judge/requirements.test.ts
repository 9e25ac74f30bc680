import { describe, expect, it } from "vitest";
import type { Manifest } from "../../src/core/release/manifest.ts";
import { aProbeReport } from "../probe-report.ts";
import { PresetRollout, type Release, type Shows } from "./preset-rollout.ts";

/** What a page says, what the candidate shows, and what becomes of it; both sides of each limit. */
type Case = readonly [title: string, outcome: string, release: Release];
type Report = Parameters<typeof aProbeReport>[0];

/** Real users at a share, judged by what both arms show. */
const shows = (preset: string, candidate: Shows, stable: Shows = {}, weight = 50): Release => ({
  preset,
  steps: `[{ weight: ${weight}, hold: 1s }]`,
  candidate,
  stable,
});
/** The gold set asked before the first user. */
const answers = (preset: string, report: Report): Release => ({
  preset,
  steps: "[{ probes: true }, { weight: 50, hold: 1s }]",
  probe: aProbeReport(report),
});
/** What the candidate's health endpoint says, from its first answer on or from the third second of a share. */
const is = (preset: string, manifest: Partial<Manifest>, more = "", fromSecond = 0): Release => ({
  ...shows(preset, {}, {}, 20),
  ...(fromSecond === 0 ? {} : { steps: "[{ weight: 20, hold: 60s }]" }),
  more,
  health: (arm, second) => (arm === "candidate" && second >= fromSecond ? manifest : {}),
});

/** A change of region brings `cold-share` as it is where no document sets it. */
const inNewRegion = (coldShare: number): Release => ({
  ...shows("bg-ops", { coldShare }),
  more: "  changeTypes: [region]\n",
});

/** Every other gate of shaping-strict has passed; a queue is heard for minutes before its slope says anything. */
const QUEUE_ALONE = "held by queue-age-slope";
const BODY = "body|network|ECONNRESET";
const HEADERS = "headers|5xx|503";
const drift = (median: number) => ({
  candidate: { median: 0.4 + median },
  paired: { deltaS: { estimate: median, ci: [median, median] as const, median, p95: 0 } },
});
/** So many failures of one class in one window of 1 000 requests, and none before or after. */
const once = (times: number): Release => ({
  preset: "bg-serverless",
  steps: "[{ weight: 50, hold: 5s }]",
  candidate: (second) => (second > 2.9 && second < 3.2 ? { classes: { [BODY]: times / 1_000 } } : {}),
});

/** Both arms show one class of failures, stable from one second on and the candidate from another. */
const bothFail = (stableFrom: number, candidateFrom: number): Release => {
  const from = (first: number) => (second: number) => (second < first ? {} : { classes: { [BODY]: 0.01 } });
  const steps = "[{ weight: 50, hold: 6s }]";
  return { preset: "bg-serverless", steps, stable: from(stableFrom), candidate: from(candidateFrom) };
};

const LATENCY: readonly Case[] = [
  ["GQ-14: bg-serverless takes a warm p95 of 1.2 x blue", "goes on", shows("bg-serverless", { slower: 1.2 })],
  ["GQ-14: and stops one of 1.3 x blue", "stopped by p95-warm", shows("bg-serverless", { slower: 1.3 })],
  ["GQ-15: bg-ops takes a p95 of 1.1 x Blue", "goes on", shows("bg-ops", { slower: 1.1 })],
  ["GQ-15: and stops one of 1.2 x Blue", "stopped by p95-warm", shows("bg-ops", { slower: 1.2 })],
  [
    "GQ-16: canary-serverless takes a warm p95 of 1.2 x control",
    "goes on",
    shows("canary-serverless", { slower: 1.2 }, {}, 10),
  ],
  ["GQ-16: and stops one of 1.3 x control", "stopped by p95-warm", shows("canary-serverless", { slower: 1.3 }, {}, 10)],
  ["GQ-16: cold answers are no warm ones", "goes on", shows("canary-serverless", { coldShare: 0.2 }, {}, 10)],
  ["GQ-17: shaping-strict takes 5 % more at equal load", QUEUE_ALONE, shows("shaping-strict", { slower: 1.05 })],
  ["GQ-17: and stops 20 % more", "stopped by p95-equal-load", shows("shaping-strict", { slower: 1.2 })],
  [
    "GQ-17: an instance with 9 % more to do is equal load",
    "stopped by p95-equal-load",
    shows("shaping-strict", { slower: 1.2, concurrency: 8.7 }),
  ],
  [
    "GQ-17: with 12 % more it is not: nothing is compared",
    "held by p95-equal-load, queue-age-slope",
    shows("shaping-strict", { slower: 1.2, concurrency: 9 }),
  ],
  ["GQ-27: 5 % cold starts are few enough", QUEUE_ALONE, shows("shaping-strict", { coldShare: 0.05 })],
  ["GQ-27: 6 % are not", "held by cold-share, queue-age-slope", shows("shaping-strict", { coldShare: 0.06 })],
  ["GQ-27: the gate that a change of region brings takes 5 % too", "goes on", inNewRegion(0.05)],
  ["GQ-27: and does not take 6 %", "held by cold-share", inNewRegion(0.06)],
];

const ERRORS: readonly Case[] = [
  ["TE-17: a class that stable showed first during the rollout is not new", "goes on", bothFail(1, 2)],
  [
    "TE-17: one that only the candidate shows is, whatever stable shows later",
    "stopped by new-error-class",
    bothFail(9, 2),
  ],
  [
    "GQ-19: a new class in the headers stops",
    "stopped by new-error-class",
    shows("bg-serverless", { classes: { [HEADERS]: 0.005 } }),
  ],
  [
    "GQ-19: a new class in the body stops",
    "stopped by new-error-class",
    shows("bg-serverless", { classes: { [BODY]: 0.005 } }),
  ],
  [
    "GQ-19, TE-17: a class that stable shows too is not new",
    "goes on",
    shows("bg-serverless", { classes: { [BODY]: 0.005 } }, { classes: { [BODY]: 0.001 } }),
  ],
  [
    "GQ-19, TE-17: the same stage and family under another code is",
    "stopped by new-error-class",
    shows("bg-serverless", { classes: { [HEADERS]: 0.005 } }, { classes: { "headers|5xx|500": 0.005 } }),
  ],
  ["GQ-19: 9 sightings at 50 % may be chance and hold", "held by new-error-class", once(9)],
  ["GQ-19: 10 are not", "stopped by new-error-class", once(10)],
  ["GQ-20: bg-ops takes 0.5 % errors", "goes on", shows("bg-ops", { classes: { [BODY]: 0.005 } })],
  ["GQ-20: and holds at 0.6 %", "held by error-rate-abs", shows("bg-ops", { classes: { [BODY]: 0.006 } })],
  [
    "RB-3: 0.9 % of 5xx answers do not stop bg-ops",
    "held by error-rate-abs, five-xx-abs",
    shows("bg-ops", { classes: { [HEADERS]: 0.009 } }),
  ],
  ["RB-3: 1.1 % do", "stopped by error-rate-abs", shows("bg-ops", { classes: { [HEADERS]: 0.011 } })],
  ["RB-3: one tool loop does", "stopped by tool-loop", shows("bg-ops", { counters: { toolLoops: 1 } })],
  [
    "GQ-21: canary-serverless takes 1.18 % where control has 1 %",
    "goes on",
    shows("canary-serverless", { classes: { [BODY]: 0.0118 } }, { classes: { [BODY]: 0.01 } }, 10),
  ],
  [
    "GQ-21: and holds at 1.4 %",
    "held by error-rate-rel",
    shows("canary-serverless", { classes: { [BODY]: 0.014 } }, { classes: { [BODY]: 0.01 } }, 25),
  ],
  [
    "GQ-21: a class that control does not show stops",
    "stopped by new-error-class",
    shows("canary-serverless", { classes: { [BODY]: 0.005, [HEADERS]: 0.005 } }, { classes: { [BODY]: 0.01 } }, 10),
  ],
  [
    "GQ-22: shaping-strict takes 0.04 points more 5xx",
    QUEUE_ALONE,
    shows("shaping-strict", { classes: { [HEADERS]: 0.0024 } }, { classes: { [HEADERS]: 0.002 } }),
  ],
  [
    "GQ-22: and stops 0.1 points more",
    "stopped by five-xx-delta",
    shows("shaping-strict", { classes: { [HEADERS]: 0.003 } }, { classes: { [HEADERS]: 0.002 } }),
  ],
];

const SIGNALS: readonly Case[] = [
  ["GQ-24: bg-serverless takes 4.9 points fewer cache hits", "goes on", shows("bg-serverless", { cacheHits: 751 })],
  ["GQ-24: and holds at 5.5 points", "held by cache-hit-drop", shows("bg-serverless", { cacheHits: 745 })],
  [
    "GQ-24: canary-serverless holds at them too",
    "held by cache-hit-drop",
    shows("canary-serverless", { cacheHits: 745 }, {}, 25),
  ],
  [
    "GQ-28, QJ-10: a queue that keeps its age lets a step end",
    "goes on",
    { ...shows("shaping-strict", { queueAgeMs: () => 900 }), quarters: 400 },
  ],
  [
    "GQ-28, QJ-10: one that ages by 2 ms a second does not",
    "held by queue-age-slope",
    { ...shows("shaping-strict", { queueAgeMs: (second) => 500 + 2 * second }), quarters: 400 },
  ],
  [
    "GQ-29: 999 of 1 000 repeated deliveries suppressed are enough",
    QUEUE_ALONE,
    shows("shaping-strict", { suppressed: 999 }),
  ],
  ["GQ-29: 998 are not", "stopped by dedupe-miss", shows("shaping-strict", { suppressed: 998 })],
  [
    "GQ-29: one double effect stops whatever that rate is",
    "stopped by duplicate-effect",
    shows("shaping-strict", { counters: { duplicateEffects: 1 } }),
  ],
];

const IDENTITY: readonly Case[] = [
  ["GQ-25: another INDEX_HASH is what a release may bring", "goes on", is("bg-serverless", { INDEX_HASH: "other" })],
  ["GQ-25: another METRIC stops", "stopped by parity", is("bg-serverless", { METRIC: "l2" })],
  ["GQ-25: another ANALYZER stops", "stopped by parity", is("bg-serverless", { ANALYZER: "b" })],
  ["GQ-25: a declared one goes on", "goes on", is("bg-serverless", { METRIC: "l2" }, "  changes: [METRIC]\n")],
  [
    "GQ-26: canary-serverless takes the declared variant",
    "goes on",
    is("canary-serverless", { ANALYZER: "b" }, "  changes: [ANALYZER]\n"),
  ],
  [
    "GQ-26: and not one beyond it",
    "stopped by parity",
    is("canary-serverless", { ANALYZER: "b", METRIC: "l2" }, "  changes: [ANALYZER]\n"),
  ],
  [
    "GQ-26: one poisoned read stops",
    "stopped by cache-collision",
    shows("canary-serverless", { counters: { cacheCollisions: 1 } }, {}, 25),
  ],
  ...(["INDEX_HASH", "EMBED_SCHEMA", "RERANK_CONF", "PROMPT_VER", "MODEL_VER"] as const).map(
    (field): Case => [
      `${field === "INDEX_HASH" ? "GQ-26, " : ""}TE-4: ${field} is pinned before users come: a later one stops`,
      "stopped by parity",
      is("canary-serverless", { [field]: "later" }, "", 3),
    ],
  ),
];

const PROBES: readonly Case[] = [
  [
    "GQ-1: bg-serverless takes a median ΔS of 0.45",
    "goes on",
    answers("bg-serverless", { candidate: { median: 0.45 } }),
  ],
  ["GQ-1: and holds at 0.46", "held by delta-s", answers("bg-serverless", { candidate: { median: 0.46 } })],
  [
    "GQ-3: canary-serverless takes a median ΔS of 0.45",
    "goes on",
    answers("canary-serverless", { candidate: { median: 0.45 } }),
  ],
  ["GQ-3: and holds at 0.46", "held by delta-s", answers("canary-serverless", { candidate: { median: 0.46 } })],
  ["GQ-4: shaping-strict takes ΔS moved by 0.03", "goes on", answers("shaping-strict", drift(0.03))],
  ["GQ-4: and holds at 0.031", "held by delta-s", answers("shaping-strict", drift(0.031))],
  ["GQ-4: and where it moved down by 0.031", "held by delta-s", answers("shaping-strict", drift(-0.031))],
  [
    "GQ-6: bg-serverless takes a coverage of 0.70",
    "goes on",
    answers("bg-serverless", { stable: { coverage: 0.7 }, candidate: { coverage: 0.7 } }),
  ],
  [
    "GQ-6: and stops at 0.69",
    "stopped by coverage",
    answers("bg-serverless", { stable: { coverage: 0.69 }, candidate: { coverage: 0.69 } }),
  ],
  [
    "GQ-8: canary-serverless takes a coverage of 0.70",
    "goes on",
    answers("canary-serverless", { stable: { coverage: 0.7 }, candidate: { coverage: 0.7 } }),
  ],
  [
    "GQ-8: and holds at 0.69",
    "held by coverage",
    answers("canary-serverless", { stable: { coverage: 0.69 }, candidate: { coverage: 0.69 } }),
  ],
  [
    "GQ-10: 95 % convergent is convergent",
    "goes on",
    answers("bg-serverless", {
      stable: { convergent: 0.95 },
      candidate: { convergent: 0.95, states: { "→": 95, "=": 5 } },
    }),
  ],
  [
    "GQ-10: 94 % is not",
    "held by lambda",
    answers("bg-serverless", { candidate: { convergent: 0.94, states: { "→": 94, "=": 6 } } }),
  ],
  [
    "GQ-10: one chaotic question is not",
    "held by lambda",
    answers("canary-serverless", { candidate: { convergent: 0.99, states: { "→": 99, "×": 1 } } }),
  ],
  [
    "RB-2: bg-ops stops at a flip rate over 0.20",
    "stopped by lambda",
    answers("bg-ops", { candidate: { flipRate: 0.21 } }),
  ],
  [
    "RB-2: and not at 0.20 as stable has it",
    "goes on",
    answers("bg-ops", { stable: { flipRate: 0.2 }, candidate: { flipRate: 0.2 } }),
  ],
  ["RB-2: at a coverage under 0.60", "stopped by coverage", answers("bg-ops", { candidate: { coverage: 0.59 } })],
  ["RB-2: and at 0.60 holds", "held by coverage", answers("bg-ops", { candidate: { coverage: 0.6 } })],
  [
    "RB-2: at a p95 of ΔS that rose by more than 0.15",
    "stopped by delta-s",
    answers("bg-ops", { candidate: { p95: 0.66 } }),
  ],
  ["RB-2: and not at 0.14", "goes on", answers("bg-ops", { candidate: { p95: 0.64 } })],
];

describe("a release under a page's preset", () => {
  it.each([...LATENCY, ...ERRORS, ...SIGNALS, ...IDENTITY, ...PROBES])("%s: %s", async (_, outcome, release) => {
    const rollout = await new PresetRollout(release).start();
    expect(await rollout.outcome()).toBe(outcome);
  });
});
