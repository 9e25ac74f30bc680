import { forecastStage, type GateForecast } from "../../core/forecast/stage.ts";
import { forecastRollout, type RolloutForecast } from "../../core/forecast/rollout.ts";
import { type CourseStage, courseOf } from "../../core/pace/path.ts";
import type { RolloutPlan, Stage, TrafficStage } from "../../core/stage/plan.ts";
import { brokenBounds } from "../../core/pace/choose-share.ts";
import type { Assumptions } from "../../core/judge/needs.ts";
import { holdMsOf, shareOf } from "../../core/stage/share.ts";
import { describeSeen, seenIn, seenWire } from "../format/describe-seen.ts";
import { describeUsers } from "../format/describe-users.ts";
import { formatDurationMs } from "../../spec/duration.ts";
import { presetOf } from "../../spec/plan.ts";
import type { PlanAnswer, PlanStage, PlanWarning } from "../answer/plan-answer.ts";
import {
  ASSUMED_COVERAGE_DEVIATION,
  describeIdentity,
  describeProbes,
  identityFacts,
  probeFacts,
} from "../plan-facts.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { checkStable } from "../known-stable.ts";
import { type DocumentFile, previewPlan, readDocument } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";
import { paceOf } from "../../spec/metric-source.ts";

export interface PlanOptions {
  readonly json: boolean;
  readonly detailedExitcode: boolean;
  /** Requests per second of the service today. */
  readonly rps: number;
  /** Users it has; null when nobody said. */
  readonly users: number | null;
  /** Share of its requests that fail today, and the spread of its latency: sigma of the logarithm. */
  readonly errorRate: number;
  readonly latencySigma: number;
  readonly dataDir: string;
  readonly controller: string | null;
}

/** What is assumed of healthy traffic; said aloud in the plan. */
interface Assumed {
  readonly failureRate: number;
  readonly latencySigma: number;
}

interface StageForecast extends CourseStage {
  readonly gates: readonly GateForecast[];
}

/** A rollback is one push to the gateways and running answers ending; the push is confirmed within this. */
const PUSH_WORST_MS = 1_000;

function forecast(plan: RolloutPlan, rps: number, assumed: Assumed): readonly StageForecast[] {
  const traffic = { requestsPerSecond: rps, ...assumed };
  return courseOf(plan, traffic).map((one) => {
    // A share that is left as soon as the traffic is measured asks for no proof.
    const isAsked = one.stage.kind === "traffic" && one.isProven;
    return { ...one, gates: isAsked ? forecastStage(plan, one.stage as TrafficStage, traffic) : [] };
  });
}

/** A literal limit that stops a healthy candidate more often than this, at one look, is worth a word. */
const FALSE_STOP_WARN = 0.01;

/**
 * Gates that cannot decide within a stage's cap, with what would help: an error where the stage then waits for a
 * person, a warning where it goes on. And literal limits that stop healthy candidates.
 */
function warningsOf(stages: readonly StageForecast[], document: DocumentFile): readonly PlanWarning[] {
  const steps = document.document.spec.strategy?.canary?.steps;
  return stages.flatMap(({ stage, gates, index }) => {
    if (stage.kind !== "traffic") return [];
    const at = document.source.locate(
      steps === undefined ? ["spec", "gates"] : ["spec", "strategy", "canary", "steps", index],
    );
    const share = `${stage.candidateBp / 100} %`;
    return gates.flatMap((forecast): readonly PlanWarning[] => {
      const { gate, isFeasible, fix, falseStop, canLearn } = forecast;
      if (!isFeasible) {
        const message = `${gate} cannot decide at ${share}: ${whyNever(forecast, stage.capMs)}`;
        // What is missing, the controller may have learnt by then.
        const isOpen = stage.onCap === "proceed" || canLearn;
        return [{ code: isOpen ? "W201" : "E201", at, message, fix: fix ?? "" }];
      }
      if (falseStop === null || falseStop <= FALSE_STOP_WARN) return [];
      const chance = `${(falseStop * 100).toPrecision(2)} %`;
      const message = `${gate} reads its limit literally: at ${share} one look stops a healthy candidate in ${chance} of cases, and it looks many times`;
      return [{ code: "W202", at, message, fix: "mode: sequential, or more minSamples" }];
    });
  });
}

/** Without a lease nothing ends by itself. */
function leaseWarnings(leaseMs: number | null, { source }: DocumentFile): readonly PlanWarning[] {
  if (leaseMs !== null) return [];
  const at = source.locate(["spec", "route", "lease"]);
  const message =
    "lease: off, so a rollback cannot be guaranteed: a gateway that is cut off keeps its users on the candidate";
  return [{ code: "W203", at, message, fix: "lease: 15s" }];
}

/** Bounds on harm that the smallest share cannot keep, or that let a healthy candidate go no further. */
function paceWarnings(
  plan: RolloutPlan,
  stages: readonly StageForecast[],
  assumed: Assumptions,
  { source, document }: DocumentFile,
): readonly PlanWarning[] {
  if (plan.pace === undefined) return [];
  const at = source.locate(document.spec.strategy === undefined ? ["spec", "gates"] : ["spec", "strategy", "pace"]);
  const fix = "raise the bound under strategy.pace.harm, or write canary steps";
  return brokenBounds(plan, plan.pace, assumed, stages.findLast(({ stage }) => stage.kind === "traffic")?.index).map(
    (message) => ({ code: "E202", at, message, fix }),
  );
}

/** A source that shows its numbers later than they may be old never has one. */
function metricWarnings({ metrics }: RolloutPlan, { source }: DocumentFile): readonly PlanWarning[] {
  return metrics.flatMap((metric, index) => {
    const { lateMs } = paceOf(metric.source);
    if (metric.maxAgeMs >= lateMs) return [];
    const at = source.locate(["spec", "metrics", index]);
    const message = `metric "${metric.name}" may be ${metric.maxAgeMs / 1_000}s old, and ${metric.source} shows numbers up to ${lateMs / 1_000}s late: most readings will be no data`;
    return [{ code: "W204", at, message, fix: `maxAge: ${paceOf(metric.source).maxAgeMs / 60_000}m` }];
  });
}

function describeLease(leaseMs: number | null): string {
  const carries = "stable must be able to carry everybody until promotion";
  if (leaseMs === null)
    return `  no lease: nobody can say when the users of a gateway that is cut off are back; ${carries}`;
  return `  after a rollback every user is on stable within ${formatDurationMs(leaseMs)}, even with a gateway cut off; ${carries}`;
}

function whyNever({ never, needsSamples, expectedS }: GateForecast, capMs: number): string {
  const cap = formatDurationMs(capMs);
  if (never !== null) return never;
  if (needsSamples === null) return `no number of requests would settle it before the cap of ${cap}`;
  if (expectedS === null) return "what it waits for is not known";
  return `it needs ${needsSamples} candidate requests, about ${Math.ceil(expectedS)} s at this traffic, and the cap is ${cap}`;
}

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

/** Longest time from a verdict until nothing runs on the candidate any more: one push, then running answers end. */
function worstRollbackMs(stage: Stage, plan: RolloutPlan): number {
  return stage.kind === "probes" ? 0 : PUSH_WORST_MS + plan.drainMs;
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

function describeStage({ stage, gates, index, why, isProven }: StageForecast, plan: RolloutPlan): string {
  const back = `, back within ${formatDurationMs(worstRollbackMs(stage, plan))} at worst`;
  if (stage.kind === "probes") return `  ${index}  probes   ${stage.tier} gold set, both arms; no user to take back`;
  if (stage.kind === "watch")
    return `  ${index}  100 %    watched ${formatDurationMs(stage.holdMs)}, stable kept warm${back}`;
  if (!isProven)
    return `  ${index}  ${`${stage.candidateBp / 100} %`.padEnd(8)} until the traffic is measured, ${formatDurationMs(stage.holdMs)}${back}`;
  const slowest = gates.reduce<GateForecast | null>(
    (worst, gate) => ((gate.expectedS ?? 1e12) > (worst?.expectedS ?? -1) ? gate : worst),
    null,
  );
  const proof =
    slowest === null
      ? ""
      : slowest.expectedS === null
        ? `${slowest.gate} never decides`
        : `proof about ${Math.ceil(slowest.expectedS)} s (${slowest.gate})`;
  const reason = why === null ? "" : `\n              ${why}`;
  return `  ${index}  ${`${stage.candidateBp / 100} %`.padEnd(8)} hold ${formatDurationMs(stage.holdMs)}, ${proof}${back}${reason}`;
}

/** What the shares are chosen by. */
function describePace({ pace, stages }: RolloutPlan): readonly string[] {
  if (pace === undefined) return [];
  const { dead, fourfoldErrors, slower40 } = pace.harm;
  const shares = stages.flatMap((stage) => (stage.kind === "traffic" ? [stage.candidateBp / 100] : []));
  return [
    `  pace     shares chosen by measured traffic and evidence among ${shares.join(", ")} %; at most ${pace.fastest} times the last`,
    `           users harmed before a stop, on average: ${dead} if it is dead, ${fourfoldErrors} at 4 times the errors, ${slower40} at 40 % more latency`,
  ];
}

function rolloutWire({ alphaStop, to100S, exposed }: RolloutForecast): PlanAnswer["rollout"] {
  const { dead, fourfoldErrors, slower40 } = exposed;
  const requests = { dead, errors_4x: fourfoldErrors, slower_40: slower40 };
  return { alpha_stop: alphaStop, time_to_100_s: to100S, candidate_requests_exposed: requests };
}

/** Who may say whom a request is from; without a list a load balancer's users are one client to the gateway. */
function proxiesLine(trusted: readonly string[]): string {
  if (trusted.length > 0)
    return `proxies  only ${trusted.join(", ")} may set forwarding and trusted headers, and x-warm`;
  return "proxies  none trusted (route.trustedProxies): x-forwarded-* is overwritten, each peer address is one client";
}

function describeRollout({ alphaStop, to100S, exposed }: RolloutForecast): readonly string[] {
  const time = (seconds: number) => formatDurationMs(Math.ceil(seconds / 60) * 60_000);
  const to100 =
    to100S === null
      ? "a healthy candidate never reaches 100 % without a person"
      : `a healthy candidate is at 100 % after about ${time(to100S.expected)}, seldom after more than ${time(to100S.within)}`;
  const cost = (name: string, requests: number | null) => (requests === null ? [] : [`${name} about ${requests}`]);
  const costs = [
    ...cost("dead", exposed.dead),
    ...cost("4 times the errors", exposed.fourfoldErrors),
    ...cost("40 % slower", exposed.slower40),
  ];
  return [
    `  ${to100}`,
    `  stopped by mistake in at most ${Number((alphaStop * 100).toPrecision(2))} % of rollouts`,
    ...(costs.length === 0
      ? []
      : [`  candidate requests before it is stopped at the first share: ${costs.join(", ")}`]),
  ];
}

interface PlanFacts {
  readonly document: DocumentFile;
  readonly planned: RolloutPlan;
  readonly stages: readonly StageForecast[];
  readonly whole: RolloutForecast;
  readonly known: Awaited<ReturnType<typeof checkStable>>;
  readonly options: PlanOptions;
  readonly probes: Awaited<ReturnType<typeof probeFacts>>;
  readonly identity: ReturnType<typeof identityFacts>;
}

function sayPlan(facts: PlanFacts, terminal: Terminal): void {
  const { document, planned, stages, whole, known, options, probes, identity } = facts;
  const { stable, candidate } = planned.arms;
  const preset = document.document.spec.gates.map(presetOf).find((found) => found !== null);
  const { cookie } = planned.sticky;
  const trust = [...planned.identity.stickyBy, ...(cookie === undefined ? [] : [`cookie ${cookie}`])].join(", ");
  terminal.data(
    `${terminal.paint("strong", planned.rolloutId)}: ${planned.service}, ${stable.releaseId} -> ${candidate.releaseId}, sticky by ${trust}`,
  );
  terminal.data(`  stable is ${known.says}`);
  if (preset != null) terminal.data(`  preset ${preset.name}: ${preset.says}`);
  terminal.data(`  ${proxiesLine(document.document.spec.route.trustedProxies ?? [])}`);
  for (const line of describeUsers(planned)) terminal.data(`  users    ${line}`);
  for (const one of stages) terminal.data(describeStage(one, planned));
  for (const line of describePace(planned)) terminal.data(line);
  for (const line of describeSeen(options.users, seenIn(planned, options.users))) terminal.data(`  users    ${line}`);
  for (const line of probes === null ? [] : describeProbes(probes)) terminal.data(line);
  terminal.data(describeIdentity(identity));
  for (const { gate, detectable } of stages.find(({ gates }) => gates.length > 0)?.gates ?? [])
    terminal.data(`     ${gate} sees ${detectable}`);
  for (const line of describeRollout(whole)) terminal.data(line);
  terminal.data(describeLease(planned.leaseMs ?? null));
  terminal.data(
    `  assumed: ${options.rps} requests/s (--rps), ${options.errorRate * 100} % errors (--error-rate), latency sigma ${options.latencySigma} (--latency-sigma)`,
  );
}

/** `sluice plan FILE`: what will happen, how long it takes at today's traffic, what each gate can and cannot see. */
export async function plan(file: string, options: PlanOptions, terminal: Terminal): Promise<ExitCode> {
  const document = await readDocument(file);
  const known = await checkStable(document, options);
  const planned = await previewPlan(document, known.arm);
  const assumed = { failureRate: options.errorRate, latencySigma: options.latencySigma };
  const stages = forecast(planned, options.rps, assumed);
  const { leaseMs = null } = planned;
  const warnings = [
    ...warningsOf(stages, document),
    ...paceWarnings(planned, stages, { requestsPerSecond: options.rps, ...assumed }, document),
    ...leaseWarnings(leaseMs, document),
    ...metricWarnings(planned, document),
  ];
  const whole = forecastRollout(planned, { requestsPerSecond: options.rps, ...assumed });
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
