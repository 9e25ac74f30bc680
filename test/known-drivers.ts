import { KNOWN_DRIVERS } from "../src/host/driver-registry.ts";
import { type PlanContext, planRollout as plan } from "../src/spec/plan.ts";
import { readRollout as read } from "../src/spec/read-rollout.ts";
import type { RolloutDocument } from "../src/spec/rollout-schema.ts";
import type { Source } from "../src/spec/source.ts";

/** A document read with every driver there is. */
export const readRollout = (text: string) => read(text, KNOWN_DRIVERS);

/** A document planned with every driver there is. */
export function planRollout(document: RolloutDocument, source: Source, context: Omit<PlanContext, "drivers">) {
  return plan(document, source, { ...context, drivers: KNOWN_DRIVERS });
}
