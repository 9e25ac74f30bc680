import { shadowErrors } from "../judge/shadow/shadow-errors.ts";
import type { RolloutPlan } from "../stage/plan.ts";
import { pairsToMargin } from "../stats/paired-margin.ts";

/** What a shadow needs for a healthy candidate, under stated assumptions. */
export interface ShadowForecast {
  /** Pairs until more failures than the margin are excluded; null: ever so many would not. */
  readonly pairs: number | null;
  /** Seconds of traffic that make so many pairs when every request may be copied, never less than the hold. */
  readonly seconds: number | null;
  readonly margin: number;
}

/** Null for a plan without a shadow. Both arms are taken to fail at the same rate and each for itself. */
export function forecastShadow(
  { shadow, stages, gates }: RolloutPlan,
  { requestsPerSecond, failureRate }: { readonly requestsPerSecond: number; readonly failureRate: number },
): ShadowForecast | null {
  const stage = stages.find(({ kind }) => kind === "shadow");
  const setting = gates.find(({ gate }) => gate === shadowErrors.name);
  if (shadow === undefined || stage?.kind !== "shadow" || setting === undefined) return null;
  const { margin, beta, minSamples } = shadowErrors.optionsOf(setting.options);
  const alone = failureRate * (1 - failureRate);
  const more = pairsToMargin({ candidateOnly: alone, stableOnly: alone, pairs: 1 }, margin, beta);
  const pairs = more === null ? null : Math.max(minSamples, more);
  const perSecond = Math.min(shadow.perSecond, (requestsPerSecond * shadow.shareBp) / 10_000);
  const seconds = pairs === null ? null : Math.max(stage.holdMs / 1_000, pairs / perSecond);
  return { pairs, seconds, margin };
}
