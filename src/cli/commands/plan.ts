import { forecastRollout, type RolloutForecast } from "../../core/forecast/rollout.ts";
import type { GateForecast } from "../../core/forecast/stage.ts";
import { isCutover } from "../../core/cutover/plan.ts";
import type { RolloutPlan } from "../../core/stage/plan.ts";
import { holdMsOf, shareOf } from "../../core/stage/share.ts";
import type { PlanAnswer, PlanStage } from "../answer/plan-answer.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { seenIn, seenWire } from "../format/describe-seen.ts";
import { checkStable } from "../known-stable.ts";
import { ASSUMED_COVERAGE_DEVIATION, identityFacts, probeFacts } from "../plan/facts.ts";
import type { PlanOptions } from "../plan/plan-options.ts";
import { forecastStages, type StageForecast, worstRollbackMs } from "../plan/stage-forecast.ts";
import { sayCutoverPlan } from "./cutover.ts";
import { sayPlan } from "../plan/text.ts";
import { warningsOf } from "../plan/warnings.ts";
import { previewPlan, readDocument } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";

function stageWire({ stage, gates, why }: StageForecast, plan: RolloutPlan): PlanStage {
  return {
    kind: stage.kind,
    share_bp: shareOf(stage) ?? 0,
    hold_s: holdMsOf(stage) / 1_000,
    gates: gates.map(gateWire),
    worst_rollback_s: worstRollbackMs(stage, plan) / 1_000,
    why,
  };
}

function gateWire(forecast: GateForecast): PlanStage["gates"][number] {
  const { gate, needsSamples, expectedS, isFeasible, detectable, falseStop } = forecast;
  return {
    gate,
    needs_samples: needsSamples,
    expected_s: expectedS,
    feasible: isFeasible,
    detectable,
    false_stop: falseStop,
  };
}

function latencyPeaksWire(peaks: PlanOptions["latencyPeaks"]): PlanAnswer["assumed"]["latency_peaks"] {
  if (peaks === null) return null;
  return peaks.map(({ share, medianMs, logDeviation }) => ({ share, median_ms: medianMs, sigma: logDeviation }));
}

function rolloutWire({ alphaStop, to100S, exposed }: RolloutForecast): PlanAnswer["rollout"] {
  const { dead, fourfoldErrors, slower40 } = exposed;
  const requests = { dead, errors_4x: fourfoldErrors, slower_40: slower40 };
  return { alpha_stop: alphaStop, time_to_100_s: to100S, candidate_requests_exposed: requests };
}

/** `sluice plan FILE`: what will happen, how long it takes at today's traffic, what each gate can and cannot see. */
export async function plan(file: string, options: PlanOptions, terminal: Terminal): Promise<ExitCode> {
  const document = await readDocument(file);
  const known = await checkStable(document, options);
  const planned = await previewPlan(document, known.arm);
  if (isCutover(planned)) return sayCutoverPlan(planned, options.json, terminal);
  const assumed = {
    requestsPerSecond: options.rps,
    failureRate: options.errorRate,
    latencySigma: options.latencySigma,
    latencyPeaks: options.latencyPeaks ?? undefined,
  };
  const stages = forecastStages(planned, assumed);
  const { leaseMs = null } = planned;
  const warnings = warningsOf(planned, stages, assumed, document);
  const whole = forecastRollout(planned, assumed);
  const [probes, identity] = [await probeFacts(planned), identityFacts(planned)];
  const { stable, candidate } = planned.arms;
  if (options.json) {
    const answer: PlanAnswer = {
      changes: [{ kind: "route", service: planned.service, from: stable.releaseId, to: candidate.releaseId }],
      stages: stages.map((one) => stageWire(one, planned)),
      rollout: rolloutWire(whole),
      rollback: { lease_s: leaseMs === null ? null : leaseMs / 1_000, stable_carries_all: true },
      seen_by_users: seenWire(seenIn(planned, options.users)),
      probes,
      identity,
      warnings,
      assumed: {
        rps: options.rps,
        users: options.users,
        failure_rate: assumed.failureRate,
        latency_sigma: assumed.latencySigma,
        latency_peaks: latencyPeaksWire(options.latencyPeaks),
        coverage_deviation: ASSUMED_COVERAGE_DEVIATION,
      },
    };
    terminal.data(JSON.stringify(answer));
  } else {
    sayPlan({ document, planned, stages, whole, known, options, probes, identity }, terminal);
    for (const { code, at, message, fix } of warnings)
      terminal.say(`${terminal.paint("warn", code)} ${file}:${at.line}:${at.column}  ${message}\n      fix: ${fix}`);
  }
  if (warnings.some(({ code }) => code.startsWith("E"))) return EXIT.badUsage;
  return options.detailedExitcode ? EXIT.hasChanges : EXIT.ok;
}
