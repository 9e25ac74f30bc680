import type { RolloutForecast } from "../../core/forecast/rollout.ts";
import type { GateForecast } from "../../core/forecast/stage.ts";
import { gateLabel } from "../../core/judge/setting.ts";
import type { RolloutPlan } from "../../core/stage/plan.ts";
import { shareOf } from "../../core/stage/share.ts";
import { formatDurationMs } from "../../spec/duration.ts";
import { firstPreset, presetOf } from "../../spec/plan.ts";
import type { Preset } from "../../spec/preset/index.ts";
import { describeSeen, seenIn } from "../format/describe-seen.ts";
import { describeUsers } from "../format/describe-users.ts";
import type { checkStable } from "../known-stable.ts";
import type { DocumentFile } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";
import { describeIdentity, describeProbes, type identityFacts, type probeFacts } from "./facts.ts";
import type { PlanOptions } from "./plan-options.ts";
import { describeShadow } from "./shadow-text.ts";
import { type StageForecast, worstRollbackMs } from "./stage-forecast.ts";

/** Three times stand in a plan: the push to the gateways, the answers under way, and gateways that hear nothing. */
function describeWayBack(plan: RolloutPlan): readonly string[] {
  const { leaseMs = null, drainMs } = plan;
  const worstMs = Math.max(...plan.stages.map((stage) => worstRollbackMs(stage, plan)));
  const carries = "stable must be able to carry everybody until promotion";
  const cutOff =
    leaseMs === null
      ? "no lease: nobody can say when the users of a gateway that is cut off are back"
      : `after a rollback every user is on stable within ${formatDurationMs(leaseMs)} (route.lease), even with a gateway cut off`;
  return [
    `  ${cutOff}; ${carries}`,
    `  with its gateways connected, new requests are back in about a second, and answers under way get ${formatDurationMs(drainMs)} (route.drain): the candidate is idle within ${formatDurationMs(worstMs)} at worst`,
  ];
}

/** A preset as it describes itself, and the gates for which this document has numbers of its own. */
function describePreset({ name, says, gates }: Preset, { spec }: DocumentFile["document"]): string {
  const own = new Set(spec.gates.flatMap(({ gate }) => (gate !== undefined && gate in gates ? [gate] : [])));
  if (own.size === 0) return `  preset ${name}: ${says}`;
  return `  preset ${name} with the document's own numbers for ${[...own].join(", ")}; without them: ${says}`;
}

function describeStage({ stage, gates, index, why, isProven, waitsFor }: StageForecast): string {
  if (stage.kind === "probes")
    return `  ${String(index).padEnd(2)} probes   ${stage.tier} gold set, both arms; no user to take back`;
  if (stage.kind === "shadow")
    return `  ${String(index).padEnd(2)} shadow   copies for ${formatDurationMs(stage.holdMs)}, at most ${formatDurationMs(stage.capMs)}; no user to take back`;
  if (stage.kind === "watch")
    return `  ${String(index).padEnd(2)} 100 %    watched ${formatDurationMs(stage.holdMs)}, stable kept warm`;
  if (!isProven)
    return `  ${String(index).padEnd(2)} ${`${stage.candidateBp / 100} %`.padEnd(8)} until the traffic is measured, ${formatDurationMs(stage.holdMs)}`;
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
  const goal = waitsFor === null ? "" : `, of the margins of ${waitsFor.candidateBp / 100} %`;
  const reason = why === null ? "" : `\n              ${why}`;
  return `  ${String(index).padEnd(2)} ${`${stage.candidateBp / 100} %`.padEnd(8)} hold ${formatDurationMs(stage.holdMs)}, ${proof}${goal}${reason}`;
}

/** What the shares are chosen by. */
function describePace({ pace, stages }: RolloutPlan, users: number | null): readonly string[] {
  if (pace === undefined) return [];
  const { dead, fourfoldErrors, slower40 } = pace.harm;
  const harmed = (bound: number) => (users !== null && bound >= users ? `all ${users}` : String(bound));
  const shares = stages.flatMap((stage) => (stage.kind === "traffic" ? [stage.candidateBp / 100] : []));
  return [
    `  pace     shares chosen by measured traffic and evidence among ${shares.join(", ")} %; at most ${pace.fastest} times the last; a number left out above is a share passed over`,
    `           users harmed before a stop, at most on average: ${harmed(dead)} if it is dead, ${harmed(fourfoldErrors)} at 4 times the errors, ${harmed(slower40)} at 40 % more latency`,
  ];
}

/** Who may say whom a request is from; without a list a load balancer's users are one client to the gateway. */
function proxiesLine(trusted: readonly string[]): string {
  if (trusted.length > 0)
    return `proxies  only ${trusted.join(", ")} may set forwarding and trusted headers, and x-warm`;
  return "proxies  none trusted (route.trustedProxies): x-forwarded-* is overwritten, each peer address is one client";
}

function describeRollout(
  { alphaStop, to100S, exposed }: RolloutForecast,
  { gates }: Pick<RolloutPlan, "gates">,
  requestsPerSecond: number,
): readonly string[] {
  const literal = gates.filter(({ options }) => options.mode === "literal").map(gateLabel);
  const unbounded = literal.length === 0 ? "" : `, and beyond that by literal limits: ${literal.join(", ")}`;
  const time = (seconds: number) => formatDurationMs(Math.ceil(seconds / 60) * 60_000);
  const to100 =
    to100S === null
      ? "a healthy candidate never reaches 100 % without a person"
      : `a healthy candidate is at 100 % after about ${time(to100S.expected)}, seldom after more than ${time(to100S.within)}, at ${requestsPerSecond} requests/s (--rps)`;
  const cost = (name: string, requests: number | null) => (requests === null ? [] : [`${name} about ${requests}`]);
  const costs = [
    ...cost("dead", exposed.dead),
    ...cost("4 times the errors", exposed.fourfoldErrors),
    ...cost("40 % slower", exposed.slower40),
  ];
  return [
    `  ${to100}`,
    `  stopped by mistake in at most ${Number((alphaStop * 100).toPrecision(2))} % of rollouts${unbounded}`,
    ...(costs.length === 0
      ? []
      : [`  candidate requests before it is stopped, were it kept at the first share: ${costs.join(", ")}`]),
  ];
}

/** What there is to say of a plan. */
export interface PlanFacts {
  readonly document: DocumentFile;
  readonly planned: RolloutPlan;
  readonly stages: readonly StageForecast[];
  readonly whole: RolloutForecast;
  readonly known: Awaited<ReturnType<typeof checkStable>>;
  readonly options: PlanOptions;
  readonly probes: Awaited<ReturnType<typeof probeFacts>>;
  readonly identity: ReturnType<typeof identityFacts>;
}

function describeLatency({ latencySigma, latencyPeaks }: PlanOptions): string {
  if (latencyPeaks === null) return `latency of one peak (--latency-peaks), sigma ${latencySigma} (--latency-sigma)`;
  const peaks = latencyPeaks.map(
    ({ share, medianMs, logDeviation }) =>
      `${Number((share * 100).toPrecision(3))} % around ${medianMs} ms, sigma ${logDeviation}`,
  );
  return `latency ${peaks.join("; ")} (--latency-peaks)`;
}

/** What users can show at the shares that a healthy rollout stands at. */
function seenOnTheWay({ planned, stages, options }: PlanFacts): ReturnType<typeof seenIn> {
  const shares = new Set(stages.map(({ stage }) => shareOf(stage)));
  return seenIn(planned, options.users)?.filter(({ candidateBp }) => shares.has(candidateBp)) ?? null;
}

/** Says a plan to a person. */
export function sayPlan(facts: PlanFacts, terminal: Terminal): void {
  const { document, planned, stages, whole, known, options, probes, identity } = facts;
  const { stable, candidate } = planned.arms;
  const preset = firstPreset(document.document);
  const addOns = document.document.spec.gates.map(presetOf).filter((one) => one?.isAddOn === true);
  const { cookie } = planned.sticky;
  const trust = [...planned.identity.stickyBy, ...(cookie === undefined ? [] : [`cookie ${cookie}`])].join(", ");
  terminal.data(
    `${terminal.paint("strong", planned.rolloutId)}: ${planned.service}, ${stable.releaseId} -> ${candidate.releaseId}, sticky by ${trust}`,
  );
  terminal.data(`  stable is ${known.says}`);
  for (const one of [preset, ...addOns]) if (one !== null) terminal.data(describePreset(one, document.document));
  terminal.data(`  ${proxiesLine(document.document.spec.route.trustedProxies ?? [])}`);
  for (const line of describeUsers(planned)) terminal.data(`  users    ${line}`);
  for (const one of stages) terminal.data(describeStage(one));
  for (const line of describeShadow(planned, options)) terminal.data(line);
  for (const line of describePace(planned, options.users)) terminal.data(line);
  for (const line of describeSeen(options.users, seenOnTheWay(facts))) terminal.data(`  users    ${line}`);
  for (const line of probes === null ? [] : describeProbes(probes)) terminal.data(line);
  terminal.data(describeIdentity(identity));
  for (const { gate, detectable } of stages.find(({ gates }) => gates.length > 0)?.gates ?? [])
    terminal.data(`     ${gate} sees ${detectable}`);
  for (const line of describeRollout(whole, planned, options.rps)) terminal.data(line);
  for (const line of describeWayBack(planned)) terminal.data(line);
  terminal.data(
    `  assumed: ${options.rps} requests/s (--rps), ${options.errorRate * 100} % errors (--error-rate), ${describeLatency(options)}`,
  );
}
