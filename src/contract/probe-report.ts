import { z } from "zod";
import type {
  ArmReport,
  CoverageLevel,
  DeltaSReport,
  DiscordantQuestion,
  ItemMeasure,
  ItemReport,
  LambdaState,
  PairedReport,
  ProbeFailure,
  ProbeReport,
} from "../core/measure/report.ts";
import { count, countByArm, countByName, type EveryOf, type FieldsOf, interval, share } from "./wire.ts";

const number = z.number();
const text = z.string();

export const lambdaState = z.enum({
  "→": "→",
  "=": "=",
  "<>": "<>",
  "←": "←",
  "×": "×",
  unknown: "unknown",
} satisfies EveryOf<LambdaState>);

export const estimate = z.strictObject({ estimate: number, ci: interval });
export const byTopic = z.record(text, z.strictObject({ mean: number, ci: interval, questions: count }));

const deltaS = z.strictObject({
  median: number,
  p95: number,
  shareRisk: share,
  scale: z.enum(["calibrated", "raw"]),
  embedder: text,
  best: number,
  cited: number.nullable(),
  byRank: z.array(number),
  emptyRuns: count,
  degenerateRuns: count,
} satisfies FieldsOf<DeltaSReport>);

const failure = z.strictObject({
  kind: z.enum({ error: "error", "schema-violation": "schema-violation" } satisfies EveryOf<ProbeFailure["kind"]>),
  what: text,
  runs: count,
  question: text,
  excerpt: text.nullable(),
} satisfies FieldsOf<ProbeFailure>);

const lambda = z.strictObject({
  convergentShare: share,
  flipRate: number,
  maxFlipsPerQuestion: count,
  states: z.strictObject({ "→": count, "=": count, "<>": count, "←": count, "×": count, unknown: count }),
  citeConvergentShare: share,
} satisfies FieldsOf<ArmReport["lambda"]>);

const arm = z.strictObject({
  runs: count,
  errors: count,
  errorClasses: countByName,
  schemaViolations: count,
  failures: z.array(failure),
  measuredQuestions: count,
  deltaS,
  deltaSAnchor: z.strictObject({ median: number, p95: number }).nullable(),
  coverage: estimate.extend({
    level: z.enum({ L1: "L1", L2: "L2", L3: "L3" } satisfies EveryOf<CoverageLevel>),
    shareLow: share,
    byTopic,
  }),
  lambda,
  citationHit: number,
  citationPrecision: number,
  hitAtK: number,
  recallAtK: number,
  mrr: number,
  ndcgAtK: number,
} satisfies FieldsOf<ArmReport>) satisfies z.ZodType<ArmReport>;

const paired = z.strictObject({
  coverage: estimate,
  coverageByTopic: byTopic,
  deltaS: estimate.extend({ median: number, p95: number }),
  flipRate: estimate,
  convergentShare: estimate,
  citationHit: estimate,
  ndcgAtK: estimate,
  armFlipRate: share,
  right: z.strictObject({ lost: count, gained: count }),
  errorsOnly: countByArm,
} satisfies FieldsOf<PairedReport>) satisfies z.ZodType<PairedReport>;

const discordant = z.strictObject({
  id: text,
  topic: text,
  stable: number,
  candidate: number,
  states: z.strictObject({ stable: lambdaState, candidate: lambdaState }),
} satisfies FieldsOf<DiscordantQuestion>);

const measure = z.strictObject({
  deltaS: number.nullable(),
  coverage: number.nullable(),
  lambda: lambdaState,
  flips: count,
} satisfies FieldsOf<ItemMeasure>);

const item = z.strictObject({
  id: text,
  topic: text,
  stable: measure.nullable(),
  candidate: measure,
} satisfies FieldsOf<ItemReport>);

const unseen = z.strictObject({ count, first: z.array(z.strictObject({ doc: text, section: text })) });

/** What one run of the gold set measured, as the controller keeps it. */
export const probeReport = z.strictObject({
  tier: z.enum(["smoke", "full"]),
  questions: count,
  repeats: count,
  k: count,
  versions: z.strictObject({ deltaS: text, coverage: text, lambda: text, tokenizer: text }),
  goldDigest: text,
  seed: number,
  arms: z.strictObject({ stable: arm.nullable(), candidate: arm }),
  paired: paired.nullable(),
  detectableDrop: z.record(text, number),
  discordant: z.array(discordant),
  items: z.array(item).exactOptional(),
  gold: z.strictObject({
    sections: count,
    unseen: z.strictObject({ stable: unseen.nullable(), candidate: unseen }),
  }),
  calibration: z.strictObject({
    mGold: number,
    mDecoy: number,
    auc: number,
    usable: z.boolean(),
    reason: text.nullable(),
  }),
  selfTest: z.enum(["fired", "did not fire"]),
  invalidItems: z.array(text),
  pooledTopics: z.array(text),
} satisfies FieldsOf<ProbeReport>) satisfies z.ZodType<ProbeReport>;
