import type { ByShare } from "../../core/judge/fields.ts";
import { bp } from "../../core/unit.ts";
import { MINUTE_MS, share, watched } from "./ladder.ts";
import type { PresetSource } from "./preset.ts";

const HOUR_MS = 60 * MINUTE_MS;
const PROBES = { kind: "probes", tier: "full" } as const;
/** One bound at every share: the pages have no margins that tighten. */
const always = (bound: number): ByShare => ({ under10: bound, under50: bound, from50: bound });
/** In force from a share on. */
const from = (percent: number) => ({ fromBp: bp(percent * 100), toBp: bp(10_000) });
const literal = { mode: "literal" } as const;

/** Only page 002 has a rule for single topics. */
const NO_TOPIC_RULE = { topicLevel: 0, topicFloor: 0 } as const;

/**
 * "The same as before": what the paired test of every preset tolerates. @source definitions.md §5; decision-policy.md
 */
const AS_BEFORE = { dropMargin: always(0.05) } as const;
/** What a set of 60 questions can prove before users come. @source decision-policy.md, "Small gold sets" */
const PROVABLE: ByShare = { under10: 0.1, under50: 0.05, from50: 0.05 };
/** Convergent by itself, and no less than before (GQ-11, GQ-12, GQ-13). @source definitions.md §5 */
const CONVERGENT_AS_BEFORE = { level: "loose", margin: always(0.05) } as const;

/** Fewest warm answers at which a ratio of p95 says anything. @source decision-policy.md "Literal mode" */
const P95_SAMPLES = { within25: 300, within15: 600, within10: 1_200 } as const;

/**
 * Page 000: blue-green for serverless and edge. Shadow, one canary step, then everything. @source requirements.md §2.1
 */
const bgServerless: PresetSource = {
  name: "bg-serverless",
  version: 1,
  says: "blue-green for serverless: the page's literal limits; green must answer like blue before it takes over",
  from: "page 000, blue-green for serverless and edge; defaults of the gates where the page has no number",
  gates: {
    "schema-violation": { maxShare: 0 },
    parity: {},
    "sample-ratio": {},
    "new-error-class": {},
    "p95-warm": { ...literal, harmRatio: 1.25, margin: always(1.25), minSamples: P95_SAMPLES.within25 },
    "cache-hit-drop": { ...literal, promote: 0.05, stop: null },
    coverage: { ...literal, level: 0.7, stop: 0.7, ...NO_TOPIC_RULE },
    "delta-s": { ...literal, limit: 0.45, stop: 0.6 },
    lambda: { ...literal, level: "strict" },
  },
  within: { "cache-hit-drop": from(1) },
  stages: [PROBES, share(1, 15 * MINUTE_MS), PROBES, watched(HOUR_MS)],
  onFail: "stable",
};

/** Page 001: blue-green for operations. One flip, held 15 to 30 minutes under watch. @source requirements.md §2.1 */
const bgOps: PresetSource = {
  name: "bg-ops",
  version: 1,
  says: "blue-green for operations: one flip, watched for 30 minutes, with the page's literal limits",
  from: "page 001, blue-green for operations; defaults of the gates where the page has no number",
  gates: {
    parity: {},
    "error-rate-abs": { ...literal, promote: 0.005, stop: 0.01, minSamples: 600 },
    "five-xx-abs": { ...literal, promote: 0.005, stop: 0.01, minSamples: 600 },
    "tool-loop": { max: 0, onNoData: "skip" },
    "p95-warm": { ...literal, harmRatio: 1.15, margin: always(1.15), minSamples: P95_SAMPLES.within15 },
    coverage: { ...literal, level: 0.7, stop: 0.6, ...AS_BEFORE, ...NO_TOPIC_RULE },
    "delta-s": { ...literal, limit: 0.45, p95DriftStop: 0.15 },
    lambda: { ...literal, ...CONVERGENT_AS_BEFORE, flipRateStop: 0.2 },
  },
  stages: [{ kind: "probes", tier: "smoke" }, watched(30 * MINUTE_MS)],
  onFail: "stable",
};

/**
 * Page 002: canary with a stop rule for each stage (ST-1 to ST-8). A rule stays in force above its stage. Topics are
 * probed at 5 %, phrasings at 50 %; 100 % needs a peak hour.
 * @source requirements.md §2.1 and "Stages / state machine"
 */
const canaryServerless: PresetSource = {
  name: "canary-serverless",
  version: 1,
  says: "canary for serverless: the page's stop rule at each stage, and a peak hour before 100 %",
  from: "page 002, canary for serverless; defaults of the gates where the page has no number",
  gates: {
    "schema-violation": { maxShare: 0 },
    parity: {},
    "sample-ratio": {},
    "cache-collision": {},
    "error-rate-rel": { ...literal, promote: 1.2, stop: null },
    "new-error-class": {},
    "p95-warm": { ...literal, harmRatio: 1.25, margin: always(1.25), minSamples: P95_SAMPLES.within25 },
    "cache-hit-drop": { ...literal, promote: 0.05, stop: null },
    coverage: { ...literal, level: 0.7, stop: 0.6, topicLevel: 0.7, topicFloor: 0.7 },
    "delta-s": { ...literal, limit: 0.45, stop: 0.6 },
    lambda: { ...literal, level: "strict", maxFlipsPerQuestion: 1 },
    "peak-hour": { lengthMs: HOUR_MS },
  },
  within: { "cache-collision": from(25), "cache-hit-drop": from(25), "peak-hour": from(50) },
  stages: [
    PROBES,
    share(1, 15 * MINUTE_MS),
    share(5, 15 * MINUTE_MS),
    PROBES,
    share(10, 15 * MINUTE_MS),
    share(25, 15 * MINUTE_MS),
    share(50, HOUR_MS, 24 * HOUR_MS),
    PROBES,
    watched(HOUR_MS),
  ],
  onFail: "previous-stage",
};

/**
 * Page 003: traffic shaping. Every step waits for flat errors, p95, queue age and stable ΔS. @source requirements.md
 * §2.1
 */
const shapingStrict: PresetSource = {
  name: "shaping-strict",
  version: 1,
  says: "strict traffic shaping: flat errors, latency and queues at every step; one failed gate goes back to the prior revision at once",
  from: "page 003, traffic shaping; defaults of the gates where the page has no number",
  gates: {
    parity: {},
    "sample-ratio": {},
    "duplicate-effect": {},
    "sticky-violation": {},
    "five-xx-delta": { ...literal, promote: 0.0005, stop: 0.0005, minSamples: 600 },
    "p95-equal-load": { ...literal, harmRatio: 1.1, margin: always(1.1), minSamples: P95_SAMPLES.within10 },
    "cold-share": { ...literal, promote: 0.05, stop: null },
    "queue-age-slope": { ...literal, promote: 0 },
    "dedupe-miss": { ...literal, promote: 0.001, stop: 0.001 },
    "delta-s": { ...literal, driftMargin: always(0.03), driftStop: 0.03 },
    lambda: { ...literal, ...CONVERGENT_AS_BEFORE },
  },
  stages: [
    PROBES,
    share(1, 15 * MINUTE_MS),
    share(5, 15 * MINUTE_MS),
    share(25, 15 * MINUTE_MS),
    share(50, 15 * MINUTE_MS),
    PROBES,
    watched(15 * MINUTE_MS),
  ],
  onFail: "stable",
};

/**
 * Page 004: the gates of a failover drill, and the ladder on which traffic comes home. @source requirements.md §2.1,
 * ST-17
 */
const failoverDrill: PresetSource = {
  name: "failover-drill",
  version: 1,
  says: "a region's return after a drill: answers and latency as before the incident, no lasting burst of errors",
  from: "page 004, region failover; defaults of the gates where the page has no number",
  gates: {
    parity: {},
    "duplicate-effect": {},
    "write-loss": {},
    "five-xx-burst": { longestMs: MINUTE_MS },
    "p95-warm": { ...literal, harmRatio: 1.25, margin: always(1.25), minSamples: P95_SAMPLES.within25 },
    coverage: { ...literal, level: 0.7, stop: 0.7, ...NO_TOPIC_RULE },
    "delta-s": { ...literal, limit: 0.45, stop: 0.6 },
    lambda: { ...literal, ...CONVERGENT_AS_BEFORE },
  },
  stages: [
    PROBES,
    share(10, 10 * MINUTE_MS),
    share(30, 10 * MINUTE_MS),
    share(60, 10 * MINUTE_MS),
    watched(10 * MINUTE_MS),
  ],
  onFail: "stable",
};

/** The presets of the five pages, with the pages' numbers to the letter. */
export const PAGE_PRESETS: readonly PresetSource[] = [
  bgServerless,
  bgOps,
  canaryServerless,
  shapingStrict,
  failoverDrill,
];

/**
 * The tightest bound of every page, kept practicable: judged sequentially where a page's literal reading would stop
 * healthy releases, with the ladder and the dwell of requirements.md §2.1 "Default preset".
 */
export const strictestPreset: PresetSource = {
  name: "strictest",
  version: 1,
  says: "the tightest bound of all pages, a peak hour at 50 % before everything",
  from: "preset default and pages 000 to 004, the tightest bound of each",
  strictestOf: ["default", ...PAGE_PRESETS.map(({ name }) => name)],
  gates: {
    "error-rate-abs": { mode: "sequential", promote: 0.005, stop: 0.01 },
    "five-xx-abs": { mode: "sequential" },
    "five-xx-delta": { mode: "sequential", stop: null },
    "queue-age-slope": { mode: "sequential", promote: 5 },
    "cache-hit-drop": { mode: "sequential", stop: 0.15 },
    "dedupe-miss": { mode: "sequential", stop: 0.01 },
    "p95-warm": { mode: "sequential", harmRatio: 1.25, margin: always(1.1) },
    "p95-equal-load": { mode: "sequential", harmRatio: 1.25 },
    // Proof of a paired margin needs more questions than an estimate: the policy's margins, not the pages'.
    coverage: { mode: "sequential", stop: 0.6, topicFloor: 0.5, dropMargin: PROVABLE },
    "delta-s": { mode: "sequential" },
    lambda: { mode: "sequential", margin: PROVABLE },
  },
  stages: [
    PROBES,
    share(1, 15 * MINUTE_MS),
    share(5, 15 * MINUTE_MS),
    PROBES,
    share(10, 15 * MINUTE_MS),
    share(25, 15 * MINUTE_MS),
    share(50, HOUR_MS, 24 * HOUR_MS),
    PROBES,
    watched(HOUR_MS),
  ],
  onFail: "previous-stage",
};
