import { z } from "zod";
import type { GateName, GateOptions } from "../core/gate/options.ts";

const probability = z.number().gt(0).lt(1);
const share = z.number().min(0).max(1);
const ratio = z.number().gt(1).max(10);
const byShare = <T extends z.ZodType<number>>(bound: T) =>
  z.strictObject({ under10: bound, under50: bound, from50: bound });
const samples = z.int().min(1).max(10_000_000);

/** The options of each gate kind as a document may write them. The preset in force supplies what is left out. */
export const GATE_SCHEMAS = {
  "schema-violation": z.strictObject({ maxShare: share }),
  parity: z.strictObject({}),
  "error-rate": z.strictObject({ alpha: probability, beta: probability, margin: byShare(share), minSamples: samples }),
  "new-error-class": z.strictObject({ alpha: probability, beta: probability }),
  "p95-warm": z.strictObject({
    alpha: probability,
    beta: probability,
    harmRatio: ratio,
    margin: byShare(ratio),
    minSamples: samples,
  }),
  "delta-s": z.strictObject({
    limit: z.number().min(0).max(2),
    stop: z.number().min(0).max(2),
    driftMargin: byShare(share),
    driftStop: share,
    p95DriftStop: share,
  }),
  coverage: z.strictObject({
    level: share,
    stop: share,
    dropMargin: byShare(share),
    dropStop: share,
    topicLevel: share,
    topicFloor: share,
  }),
  lambda: z.strictObject({
    level: z.enum(["paired", "strict", "loose"]),
    margin: byShare(share),
    increaseStop: share,
    flipRateStop: share,
  }),
} satisfies { [name in GateName]: z.ZodType<GateOptions[name]> };
