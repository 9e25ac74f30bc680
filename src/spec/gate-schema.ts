import { z } from "zod";
import type { GateName, GateOptions } from "../core/gate/options.ts";

const probability = z.number().gt(0).lt(1);
const share = z.number().min(0).max(1);
const ratio = z.number().gt(1).max(10);
const byShare = <T extends z.ZodType<number>>(bound: T) =>
  z.strictObject({ under10: bound, under50: bound, from50: bound });
const samples = z.int().min(1).max(10_000_000);
const count = z.int().min(0).max(1_000_000);
const mode = z.enum(["sequential", "literal"]);
const onNoData = z.enum(["hold", "skip"]);
const ms = z
  .int()
  .min(1_000)
  .max(7 * 86_400_000);
const finite = z.number().min(-1e12).max(1e12);

/** A share, a difference of shares or a ratio against limits. */
const limits = (bound: z.ZodType<number>) =>
  z.strictObject({
    mode,
    promote: bound,
    stop: bound.nullable(),
    alpha: probability,
    beta: probability,
    minSamples: samples,
    onNoData,
  });
const events = z.strictObject({ max: count, onNoData });
const p95 = z.strictObject({
  mode,
  alpha: probability,
  beta: probability,
  harmRatio: ratio,
  margin: byShare(ratio),
  minSamples: samples,
  swingMs: ms,
});

/** The options of each gate kind as a document may write them. The preset in force supplies what is left out. */
export const GATE_SCHEMAS = {
  "schema-violation": z.strictObject({ maxShare: share }),
  parity: z.strictObject({}),
  "sample-ratio": z.strictObject({ alpha: probability }),
  "duplicate-effect": events,
  "write-loss": events,
  "sticky-violation": events,
  "cache-collision": events,
  "error-rate": z.strictObject({
    mode,
    alpha: probability,
    beta: probability,
    margin: byShare(share),
    minSamples: samples,
  }),
  "error-rate-abs": limits(share),
  "error-rate-rel": limits(ratio),
  "five-xx-abs": limits(share),
  "five-xx-delta": limits(share),
  "five-xx-burst": z.strictObject({ limit: share, longestMs: ms }),
  "new-error-class": z.strictObject({ alpha: probability, beta: probability }),
  "tool-loop": events,
  "p95-warm": p95,
  "p95-equal-load": p95,
  "cold-share": limits(share),
  "queue-age-slope": z.strictObject({
    mode,
    promote: z.number().min(0).max(1_000),
    windowMs: ms,
    windows: z.int().min(1).max(10),
    onNoData,
  }),
  "dedupe-miss": limits(share),
  "cache-hit-drop": limits(share),
  "delta-s": z.strictObject({
    mode,
    limit: z.number().min(0).max(2),
    stop: z.number().min(0).max(2),
    driftMargin: byShare(share),
    driftStop: share,
    p95DriftStop: share,
  }),
  coverage: z.strictObject({
    mode,
    level: share,
    stop: share,
    dropMargin: byShare(share),
    dropStop: share,
    topicLevel: share,
    topicFloor: share,
  }),
  lambda: z.strictObject({
    mode,
    level: z.enum(["paired", "strict", "loose"]),
    margin: byShare(share),
    increaseStop: share,
    flipRateStop: share,
    maxFlipsPerQuestion: z.int().min(0).max(3).nullable(),
  }),
  metric: z.strictObject({
    metric: z.string().min(1),
    comparison: z.enum(["absolute", "difference", "ratio"]),
    better: z.enum(["lower", "higher"]),
    promote: finite,
    stop: finite.nullable(),
    failures: z.int().min(1).max(1_000),
    passes: z.int().min(1).max(1_000),
  }),
  custom: z.strictObject({ pass: z.string().min(1), fail: z.string().min(1).nullable(), minSamples: samples }),
  "peak-hour": z.strictObject({ requestsPerSecond: z.number().gt(0).max(10_000_000).nullable(), lengthMs: ms }),
} satisfies { [name in GateName]: z.ZodType<GateOptions[name]> };
