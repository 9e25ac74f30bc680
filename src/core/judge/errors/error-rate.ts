import {
  type ClusterDifference,
  differenceInterval,
  FAILING_LEAST,
  isRateHigher,
} from "../../by-unit/cluster-difference.ts";
import type { UnitView } from "../../by-unit/unit-evidence.ts";
import type { ArmWindow } from "../../window/window.ts";
import { type BernoulliEProcess, foldBernoulli, startBernoulliEProcess } from "../../stats/bernoulli-e-process.ts";
import type { ArmCount, CountBlock } from "../../stats/count-block.ts";
import {
  type ExcessEProcess,
  excludedMargin,
  foldExcess,
  lnExcess,
  requestsToMargin,
  startExcess,
} from "../../stats/excess-e-process.ts";
import { wilson, wilsonDifference } from "../../stats/wilson.ts";
import { BP_NONE } from "../../unit.ts";
import type { Verdict } from "../../verdict.ts";
import { defineGate, type TrafficPart } from "../definition.ts";
import { ALPHA, BETA, boundAt, byShare, minSamples, MODE, type OptionsOf, SHARE } from "../fields.ts";
import { FAILS_PROBES, FAILS_REQUESTS } from "./advice.ts";
import { inSegments } from "./named-segments.ts";
import { innerShare } from "../needs.ts";
import { errorRateNeeds } from "./error-rate-needs.ts";
import { judgeProbeErrors, PROBE_ERRORS } from "./probe-errors.ts";
import {
  describeSuspicion,
  foldSuspicion,
  isSuspected,
  NO_SUSPICION,
  type Suspicion,
} from "../../by-unit/suspicion.ts";
import { isAlone, NO_STAGE_COUNTS, type StageCounts, talliedAt } from "../traffic/stage-tally.ts";
import { percent, trafficVerdict } from "../traffic/traffic-verdict.ts";
import { foldWatch, isWatchAlarmed, NEW_WATCH, type WatchDetector } from "../traffic/watch-detector.ts";

const NAME = "error-rate";

const OPTIONS = {
  mode: MODE,
  alpha: ALPHA,
  beta: BETA,
  margin: byShare(SHARE, {
    says: "the difference of failure shares that must be excluded before promotion; 0.01 is one point",
    fallback: { under10: 0.02, under50: 0.01, from50: 0.005 },
    stricter: "lower",
  }),
  minSamples: minSamples("the least candidate requests before promotion", 100),
};

/** How the failure rates of both arms are compared. */
export type ErrorRateOptions = OptionsOf<typeof OPTIONS>;

interface State {
  /** Traffic at the share in force. */
  readonly stage: StageCounts;
  readonly harm: BernoulliEProcess;
  /** At 100 %, against the rate stable left behind. */
  readonly watch: WatchDetector;
  /** Follows the plan's margins only: each one costs time in every block. */
  readonly proof: ExcessEProcess;
  /** Missing in what the version before stored. */
  readonly suspicion?: Suspicion;
}

function countOf(arm: ArmWindow): ArmCount {
  return { failures: arm.failures, total: arm.requests };
}

/** Over users where they are told apart; null where either arm has too few failing ones to say. */
function intervalOf(counts: CountBlock, difference: ClusterDifference | null): readonly [number, number] | null {
  return difference === null ? wilsonDifference(counts) : differenceInterval(difference);
}

/** Requests that are missing, and about how many users send so many, where users are told apart. */
function requestsNeeded(missing: number, candidate: ArmCount, difference: ClusterDifference | null): string {
  const requests = `about ${missing} more candidate requests`;
  if (difference === null || candidate.total === 0) return requests;
  const users = Math.max(1, Math.ceil((missing * difference.units.candidate) / candidate.total));
  const { stable, candidate: ours } = difference.failing;
  // A healthy stable will never have so many, and an interval is nothing to wait for.
  const few = Math.min(stable, ours) === 0 ? 0 : FAILING_LEAST - Math.min(stable, ours);
  const interval = few > 0 ? `; an interval needs ${FAILING_LEAST} failing users of each arm, ${few} more` : "";
  return `${requests}, of about ${users} users${interval}`;
}

function ofUsers(units: UnitView | null): string {
  if (units === null) return "";
  const { stable, candidate } = units.failures.units;
  return ` (met by ${candidate} and ${stable} users)`;
}

/** What is excluded beside what is wanted. */
function whatIsKnown(proof: ExcessEProcess, beta: number, margin: number): string {
  const excluded = excludedMargin(proof, beta);
  const known = excluded === null ? "no harm is excluded yet" : `only harm beyond +${percent(excluded)} is excluded`;
  return `${known}, +${percent(margin)} is wanted`;
}

/** A healthy candidate is alarmed once in that many blocks on average: four weeks of quarter seconds. */
const BLOCKS_BETWEEN_FALSE_ALARMS = 10_000_000;

/** Three standard errors above what stable showed, so that its own luck is no harm; with the margin on top. */
const STABLE_Z = 3;
function toleratedAlone({ stable }: CountBlock, margin: number): number {
  return stable.total === 0 ? 1 : wilson(stable.failures, stable.total, STABLE_Z)[1] + margin;
}

function rateOf({ failures, total }: ArmCount): number {
  return total === 0 ? 0 : failures / total;
}

function excessOf({ stable, candidate }: CountBlock): number {
  return rateOf(candidate) - rateOf(stable);
}

/** The page's reading: the stage's own difference against the margin, once both arms have `minSamples`. */
function decideLiteral(state: State, options: ErrorRateOptions): Verdict {
  const { stable, candidate, candidateBp } = state.stage;
  const threshold = boundAt(options.margin, candidateBp ?? BP_NONE);
  const samples = { stable: stable.total, candidate: candidate.total };
  const base = { gate: NAME, samples, threshold, alpha: null };
  if (candidate.total === 0) {
    const reason = "the candidate has answered no request at this share yet";
    return trafficVerdict(base, "no-data", { estimate: null, reason, needs: "requests that the candidate answers" });
  }
  const finding = { estimate: excessOf(state.stage), interval: wilsonDifference(state.stage) };
  const found = `errors ${percent(rateOf(candidate))} against ${percent(rateOf(stable))} on stable`;
  const missing = options.minSamples - Math.min(stable.total, candidate.total);
  if (missing > 0) {
    const reason = `${found}: too few requests to decide`;
    return trafficVerdict(base, "inconclusive", { ...finding, reason, needs: `${missing} more requests of each arm` });
  }
  const isOver = isHarmProven(state, options);
  const reason = `${found}: ${isOver ? "over" : "within"} +${percent(threshold)}`;
  return trafficVerdict(base, isOver ? "fail" : "pass", { ...finding, reason });
}

/**
 * Failures follow users, so where users are told apart each counts once, and the rates averaged over users must differ
 * as well. Requests alone would stop 8 % of healthy rollouts when 1 % of the users cause the failures.
 */
function isFuseBlown({ harm }: State, { alpha }: ErrorRateOptions, units: UnitView | undefined): boolean {
  if (units?.tells("failures") !== true) return harm.logE >= Math.log(1 / alpha);
  return units.failures.logE >= Math.log(1 / alpha) && isRateHigher(units.difference("failures"));
}

function isHarmProven(state: State, options: ErrorRateOptions, units?: UnitView): boolean {
  const { stage, watch } = state;
  if (options.mode !== "literal") {
    return isFuseBlown(state, options, units) || isWatchAlarmed(watch, BLOCKS_BETWEEN_FALSE_ALARMS);
  }
  const isEnough = Math.min(stage.stable.total, stage.candidate.total) >= options.minSamples;
  return isEnough && excessOf(stage) > boundAt(options.margin, stage.candidateBp ?? BP_NONE);
}

const traffic: TrafficPart<ErrorRateOptions, State> = {
  start: ({ margin }) => {
    const margins = [...new Set([margin.under10, margin.under50, margin.from50])].sort((a, b) => a - b);
    return {
      stage: NO_STAGE_COUNTS,
      harm: startBernoulliEProcess(),
      proof: startExcess({ margins }),
      watch: NEW_WATCH,
      suspicion: NO_SUSPICION,
    };
  },
  fold: ({ stage, harm: before, proof, watch, suspicion = NO_SUSPICION }, block, { margin, alpha }) => {
    const { stable, candidate } = block.arms;
    const counts = { stable: countOf(stable), candidate: countOf(candidate) };
    const harm = foldBernoulli(before, counts);
    return {
      stage: talliedAt(stage, block, counts),
      harm,
      proof: foldExcess(proof, counts),
      watch: isAlone(block) ? foldWatch(watch, counts.candidate, toleratedAlone(before, margin.from50)) : watch,
      suspicion: foldSuspicion(suspicion, counts, block.endMs, harm.logE >= Math.log(1 / alpha)),
    };
  },

  isHarmProven,

  decide(state, stage, options): Verdict {
    if (options.mode === "literal") return decideLiteral(state, options);
    const { harm, proof, suspicion = NO_SUSPICION } = state;
    // Estimates are the share's own: both arms in the same hours. Evidence is that of the whole rollout.
    const { stable, candidate } = state.stage;
    const margin = boundAt(options.margin, stage.candidateBp);
    const samples = { stable: stable.total, candidate: candidate.total };
    const base = { gate: NAME, samples, threshold: margin, alpha: options.alpha };
    if (isWatchAlarmed(state.watch, BLOCKS_BETWEEN_FALSE_ALARMS)) {
      // Nothing is left to compare with, and perhaps never was: a flip goes from nothing to everything.
      const [rate, before] = [rateOf(state.watch.seen), rateOf(harm.stable)];
      const reason = `errors ${percent(rate)} since all users are on the candidate, ${percent(before)} on stable before: risen beyond +${percent(options.margin.from50)}`;
      return trafficVerdict(base, "fail", { estimate: rate - before, reason });
    }
    if (candidate.total === 0) {
      const reason = "the candidate has answered no request at this share yet";
      return trafficVerdict(base, "no-data", { estimate: null, reason, needs: "requests that the candidate answers" });
    }
    const estimate = excessOf(state.stage);
    const byUnit = stage.units?.tells("failures") === true ? stage.units : null;
    const difference = byUnit?.difference("failures") ?? null;
    const logE = byUnit?.failures.logE ?? harm.logE;
    const finding = { estimate, interval: intervalOf(state.stage, difference), logE };
    const found = `errors ${percent(rateOf(candidate))} against ${percent(rateOf(stable))} on stable${ofUsers(byUnit)}`;
    if (isHarmProven(state, options, stage.units)) {
      const reason = `${found}: more than chance allows`;
      return trafficVerdict(base, "fail", { ...finding, ...inSegments(byUnit, reason) });
    }
    if (byUnit !== null && isSuspected(suspicion, difference)) {
      const { reason, needs } = describeSuspicion(suspicion, byUnit);
      return trafficVerdict(base, "inconclusive", { ...finding, needs, reason: `${found}: ${reason}` });
    }
    // So many requests of one user say as much as one: evidence shrinks by the design effect.
    const beta = Math.max(Number.MIN_VALUE, options.beta ** (difference?.designEffect ?? 1));
    const isExcluded = lnExcess(proof, margin) >= -Math.log(beta);
    if (isExcluded && estimate <= margin && candidate.total >= options.minSamples) {
      const reason = `${found}: harm beyond +${percent(margin)} is excluded`;
      return trafficVerdict(base, "pass", { ...finding, reason });
    }
    const share = innerShare(stage.candidateBp);
    const more = requestsToMargin(proof, margin, beta, share);
    const missing = Math.max(more ?? 0, options.minSamples - candidate.total);
    const needs =
      more === null
        ? "fewer failures: at this rate more requests exclude nothing"
        : requestsNeeded(missing, candidate, difference);
    const lacks = isExcluded
      ? `harm beyond +${percent(margin)} is excluded, by fewer requests than the ${options.minSamples} that are wanted`
      : whatIsKnown(proof, beta, margin);
    const reason = `${found}: ${isExcluded && estimate > margin ? `over +${percent(margin)} at this share` : lacks}`;
    return trafficVerdict(base, "inconclusive", { ...finding, reason, needs });
  },
};

/**
 * Failure rate of the candidate against stable's, in absolute points. Harm: the two-sample e-process over all blocks
 * reaches 1/alpha, at any moment. Proof: a rate `margin` above stable's is excluded at error rate beta.
 * @source decision-policy.md, "Three questions per gate" and "Margins" (GQ-20, GQ-22, ST-2)
 */
export const errorRate = defineGate({
  name: NAME,
  reads: "traffic",
  counts: "requests",
  says: "Does the candidate fail more requests than stable in the same seconds?",
  unit: "points over stable",
  from: "gateway",
  options: OPTIONS,
  conditions: { error_rate_rel: FAILS_REQUESTS, [PROBE_ERRORS]: FAILS_PROBES },
  worst: "failures",
  needs: errorRateNeeds,
  traffic,
  probe: judgeProbeErrors,
});
