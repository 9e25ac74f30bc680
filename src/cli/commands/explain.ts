import { SERVING_ARMS } from "../../core/arm.ts";
import { coverage } from "../../core/judge/probes/coverage.ts";
import { errorRate } from "../../core/judge/errors/error-rate.ts";
import { newErrorClass } from "../../core/judge/errors/new-error-class.ts";
import { adviceFor, findGate } from "../../core/judge/gates.ts";
import { type GateSetting, gateLabel, readGateLabel } from "../../core/judge/setting.ts";
import type { ProbeReport } from "../../core/measure/report.ts";
import { describeErrorClass } from "../../core/window/error-class.ts";
import type { Status } from "../../contract/status.ts";
import { CliError } from "../cli-error.ts";
import { printableLine } from "../../core/printable.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";
import { ofGeneration } from "./report.ts";

type WireVerdict = Status["verdicts"][number];

/** What a gate's verdict means and where to look next. */
interface Explanation {
  readonly gate: string;
  readonly verdict: string;
  /** The stop condition's reason code. */
  readonly condition: string | null;
  /** What it means, for somebody who was asleep a minute ago. */
  readonly means: string;
  readonly sentence: string;
  readonly numbers: string;
  /** The line of the document or the preset that asked for the gate. */
  readonly askedBy: string;
  readonly settles: string | null;
  /** Where to look first; only for a fail. */
  readonly lookAt: string | null;
  /** The stretch of traffic that looked worst; for gates on errors and latency. */
  readonly worst: string | null;
  /** What failed probes and failed requests met, with how many of them; for gates that judge failures. */
  readonly met: readonly string[];
  /** Questions whose coverage differs between the arms, worst first; for the gate that judges coverage. */
  readonly discordant: readonly {
    readonly id: string;
    readonly topic: string;
    readonly stable: number;
    readonly candidate: number;
  }[];
  /** How many there are, of which `discordant` shows the worst. */
  readonly discordantCount: number;
}

const FAILURES_SHOWN = 3;
const QUESTIONS_SHOWN = 5;

function shown(value: number | null): string {
  return value === null ? "-" : String(Number(value.toPrecision(3)));
}

function numbersOf({ estimate, interval, threshold, samples, alpha }: WireVerdict): string {
  const within = interval === null ? "" : ` (${shown(interval[0])}..${shown(interval[1])})`;
  const promised = alpha === null ? "" : `, false stops promised under ${alpha * 100} %`;
  return `estimate ${shown(estimate)}${within} against ${shown(threshold)}, samples ${samples.stable} stable and ${samples.candidate} candidate${promised}`;
}

/** "The candidate …", by how sure the gate is. */
function meaningOf({ verdict, condition, gate }: WireVerdict): string {
  const { gate: kind, about: topic } = readGateLabel(gate);
  const advice = condition === null ? null : adviceFor(kind, condition);
  const means = advice?.means ?? "differs from stable";
  const about = topic === null ? "" : ` (${topic})`;
  switch (verdict) {
    case "fail":
      return `The candidate ${means}${about}.`;
    case "pass":
      return `This gate found nothing wrong${about}.`;
    case "inconclusive":
      return `Not settled${about}: whether the candidate ${means}.`;
    default:
      return `Not measured${about}: whether the candidate ${means}. Nothing moves on what was not measured.`;
  }
}

/** The worst five seconds, with the time to look up in the logs. */
function worstOf(gate: string, worst: Status["worst"]): string | null {
  const shows = findGate(gate)?.worst ?? null;
  const stretch = shows === null ? null : worst[shows];
  if (stretch === null) return null;
  const at = `${new Date(stretch.start_ms).toISOString()} to ${new Date(stretch.end_ms).toISOString().slice(11)}`;
  const arm = ({ requests, failures, p95_ms }: typeof stretch.stable) =>
    shows === "failures" ? `${failures} of ${requests} failed` : `p95 ${shown(p95_ms)} ms of ${requests}`;
  return `${at}: ${arm(stretch.candidate)} on the candidate, ${arm(stretch.stable)} on stable`;
}

/** The first failed runs of both arms, as one line each: what they met, how often, and the beginning of the answer. */
function metBy(probe: ProbeReport | undefined): readonly string[] {
  if (probe === undefined) return [];
  const arms = [
    ["stable", probe.arms.stable],
    ["the candidate", probe.arms.candidate],
  ] as const;
  return arms.flatMap(([whose, arm]) =>
    (arm?.failures ?? []).slice(0, FAILURES_SHOWN).map(({ kind, what, runs, question, excerpt }) => {
      const did = kind === "error" ? describeErrorClass(what) : what;
      const answered = excerpt === null || excerpt === "" ? "" : `: ${excerpt}`;
      return `${runs} of ${arm?.runs} probes of ${whose}: ${did}; first ${question}${answered}`;
    }),
  );
}

/** What failed requests of both arms met, the commonest first; for gates whose numbers are failures of users. */
function failedBy(gate: string, { requests, classes }: Status["traffic"]): readonly string[] {
  if (findGate(gate)?.worst !== "failures" && gate !== newErrorClass.name) return [];
  return SERVING_ARMS.flatMap((arm) =>
    Object.entries(classes[arm])
      .sort(([, a], [, b]) => b - a)
      .slice(0, FAILURES_SHOWN)
      .map(([name, count]) => {
        const whose = arm === "candidate" ? "the candidate" : arm;
        return `${count} of ${requests[arm]} requests to ${whose}: ${describeErrorClass(name)}`;
      }),
  );
}

function explainVerdict(
  verdict: WireVerdict,
  gates: readonly GateSetting[],
  probe: ProbeReport | undefined,
  { worst: stretches, traffic }: Pick<Status, "worst" | "traffic">,
): Explanation {
  const { gate: base, about: topic } = readGateLabel(verdict.gate);
  const differing = base === coverage.name ? (probe?.discordant ?? []) : [];
  const ours = differing.filter((question) => topic === null || question.topic === topic);
  const probed = findGate(base)?.reads === "probe" || base === errorRate.name ? metBy(probe) : [];
  const worst = [...ours].sort((a, b) => a.candidate - a.stable - (b.candidate - b.stable)).slice(0, QUESTIONS_SHOWN);
  return {
    gate: verdict.gate,
    verdict: verdict.verdict,
    condition: verdict.condition,
    means: meaningOf(verdict),
    sentence: verdict.reason,
    numbers: numbersOf(verdict),
    askedBy:
      gates.find(
        (setting) => gateLabel(setting) === verdict.gate || (setting.gate === base && setting.instance === undefined),
      )?.source ?? "no gate of this rollout",
    settles: verdict.needs,
    lookAt:
      verdict.verdict === "fail" && verdict.condition !== null
        ? (adviceFor(base, verdict.condition)?.lookAt ?? null)
        : null,
    worst: verdict.verdict === "pass" ? null : worstOf(base, stretches),
    met: verdict.verdict === "pass" ? [] : [...probed, ...failedBy(base, traffic)],
    discordant: worst.map(({ id, topic: of, stable, candidate }) => ({ id, topic: of, stable, candidate })),
    discordantCount: ours.length,
  };
}

function lines(explanation: Explanation, terminal: Terminal): readonly string[] {
  const { gate, verdict, means, sentence, numbers, askedBy, settles, lookAt, worst, met, discordant } = explanation;
  const unlisted = explanation.discordantCount - discordant.length;
  const style = verdict === "pass" ? "good" : verdict === "fail" ? "bad" : "warn";
  return [
    `${terminal.paint(style, `gate ${gate} ${verdict.toUpperCase()}`)}  (${askedBy})`,
    `  ${means}`,
    `  ${sentence}`,
    `  ${numbers}`,
    ...(worst === null ? [] : [`  worst: ${worst}`]),
    ...met.map((line) => `  met: ${line}`),
    ...discordant.map(
      ({ id, topic, stable, candidate }) =>
        `  differs: ${id} (${topic}) coverage ${shown(stable)} on stable, ${shown(candidate)} on the candidate`,
    ),
    ...(unlisted === 0
      ? []
      : [`  differs: ${unlisted} more; the report has all of them (sluice report, with --format json)`]),
    ...(settles === null ? [] : [`  settled by: ${settles}`]),
    ...(lookAt === null ? [] : [`  look at: ${lookAt}`]),
  ];
}

/** The gate that the rollout stopped for, or that `next` says it waits for; null where it names none. */
function waitsFor({ cause, next, verdicts }: Status): string | null {
  if (cause?.verdict != null) return cause.verdict.gate;
  if (cause?.gate != null) return cause.gate;
  const named = verdicts.filter(({ verdict, reason }) => verdict !== "pass" && next.includes(reason));
  return named[0]?.gate ?? null;
}

const WORST_FIRST = ["fail", "error", "inconclusive", "no-data"];

/**
 * What decided comes first, as the rollout itself says it. Gates of traffic have nothing to say before the first user,
 * so they are no reason.
 */
function worstFirst(
  verdicts: readonly WireVerdict[],
  isProbing: boolean,
  decidedBy: string | null,
): readonly WireVerdict[] {
  const isAsked = ({ gate, verdict }: WireVerdict) =>
    !isProbing || verdict !== "no-data" || findGate(readGateLabel(gate).gate)?.reads !== "traffic";
  const rank = ({ gate, verdict }: WireVerdict) => (gate === decidedBy ? -1 : WORST_FIRST.indexOf(verdict));
  return verdicts.filter(isAsked).sort((a, b) => rank(a) - rank(b));
}

/** `sluice explain ROLLOUT [GATE]`: why it stands where it stands, with the numbers and who asked for the gate. */
export async function explain(
  rolloutId: string,
  gate: string | null,
  options: { readonly json: boolean },
  client: Pick<ControllerClient, "status" | "get">,
  terminal: Terminal,
): Promise<ExitCode> {
  const [status, { plan }, { reports }] = await Promise.all([
    client.status(rolloutId),
    client.get("/v1/rollouts/{id}/journal", { id: rolloutId }),
    client.get("/v1/verdicts/{id}", { id: rolloutId }),
  ]);
  const asked = status.verdicts.filter((verdict) =>
    gate === null ? verdict.verdict !== "pass" : verdict.gate === gate || readGateLabel(verdict.gate).gate === gate,
  );
  if (gate !== null && asked.length === 0) {
    const known = status.verdicts.map((verdict) => verdict.gate).join(", ") || "none yet";
    throw new CliError(EXIT.badUsage, `gate "${gate}" has said nothing about ${rolloutId}; gates that spoke: ${known}`);
  }
  const isProbing = status.stage.kind === "probes";
  const explanations = (gate === null ? worstFirst(asked, isProbing, waitsFor(status)) : asked).map((verdict) =>
    explainVerdict(verdict, plan.gates, ofGeneration(reports, plan).at(-1)?.report, status),
  );
  const { paused } = status;
  const phase = paused ? `${status.phase}, paused` : status.phase;
  const cause = status.cause === null ? null : `${phase}: ${status.cause.text}`;
  if (options.json) {
    terminal.data(
      JSON.stringify({ id: rolloutId, phase: status.phase, paused, cause, next: status.next, explanations }),
    );
    return EXIT.ok;
  }
  terminal.data(`${rolloutId} is ${printableLine(cause ?? phase)}`);
  for (const explanation of explanations)
    for (const line of lines(explanation, terminal)) terminal.data(printableLine(line));
  if (explanations.length === 0) terminal.data("every gate that spoke passed");
  const { look_at: lookAt = null, gate: decidedBy = null } = status.cause ?? {};
  if (lookAt !== null && decidedBy === null) terminal.data(printableLine(`look at: ${lookAt}`));
  terminal.data(`next: ${status.next}`);
  return EXIT.ok;
}
