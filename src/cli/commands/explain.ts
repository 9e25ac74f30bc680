import { gateBaseName } from "../../core/gate/order.ts";
import type { GateSetting } from "../../core/gate/gate.ts";
import type { ProbeReport } from "../../core/measure/report.ts";
import type { Status } from "../../controller/status.ts";
import { CliError } from "../cli-error.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

type WireVerdict = Status["verdicts"][number];

/** What a gate's verdict means and where to look next. */
interface Explanation {
  readonly gate: string;
  readonly verdict: string;
  readonly sentence: string;
  readonly numbers: string;
  /** The line of the document or the preset that asked for the gate. */
  readonly askedBy: string;
  readonly settles: string | null;
  /** Questions that differ between the arms, worst first; for gates that read probes. */
  readonly discordant: readonly {
    readonly id: string;
    readonly topic: string;
    readonly stable: number;
    readonly candidate: number;
  }[];
}

const READS_PROBES: readonly string[] = ["coverage", "delta-s", "lambda", "schema-violation"];
const QUESTIONS_SHOWN = 5;

function shown(value: number | null): string {
  return value === null ? "-" : String(Number(value.toPrecision(3)));
}

function numbersOf({ estimate, interval, threshold, samples, alpha }: WireVerdict): string {
  const within = interval === null ? "" : ` (${shown(interval[0])}..${shown(interval[1])})`;
  const promised = alpha === null ? "" : `, false stops promised under ${alpha * 100} %`;
  return `estimate ${shown(estimate)}${within} against ${shown(threshold)}, samples ${samples.stable} stable and ${samples.candidate} candidate${promised}`;
}

function explainVerdict(
  verdict: WireVerdict,
  gates: readonly GateSetting[],
  probe: ProbeReport | undefined,
): Explanation {
  const base = gateBaseName(verdict.gate);
  const topic = /\[(.+)\]$/.exec(verdict.gate)?.[1];
  const differing = READS_PROBES.includes(base) ? (probe?.discordant ?? []) : [];
  const ours = differing.filter((question) => topic === undefined || question.topic === topic);
  const worst = [...ours].sort((a, b) => a.candidate - a.stable - (b.candidate - b.stable)).slice(0, QUESTIONS_SHOWN);
  return {
    gate: verdict.gate,
    verdict: verdict.verdict,
    sentence: verdict.reason,
    numbers: numbersOf(verdict),
    askedBy: gates.find(({ gate }) => gate === base)?.source ?? "no gate of this rollout",
    settles: verdict.needs,
    discordant: worst.map(({ id, topic: of, stable, candidate }) => ({ id, topic: of, stable, candidate })),
  };
}

function lines(
  { gate, verdict, sentence, numbers, askedBy, settles, discordant }: Explanation,
  terminal: Terminal,
): readonly string[] {
  const style = verdict === "pass" ? "good" : verdict === "fail" ? "bad" : "warn";
  return [
    `${terminal.paint(style, `gate ${gate} ${verdict.toUpperCase()}`)}  (${askedBy})`,
    `  ${sentence}`,
    `  ${numbers}`,
    ...discordant.map(
      ({ id, topic, stable, candidate }) =>
        `  differs: ${id} (${topic}) coverage ${shown(stable)} on stable, ${shown(candidate)} on the candidate`,
    ),
    ...(settles === null ? [] : [`  settled by: ${settles}`]),
  ];
}

/** `sluice explain ROLLOUT [GATE]`: why it stands where it stands, with the numbers and who asked for the gate. */
export async function explain(
  rolloutId: string,
  gate: string | null,
  options: { readonly json: boolean },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const id = encodeURIComponent(rolloutId);
  const [status, { plan }, { reports }] = await Promise.all([
    client.status(rolloutId),
    client.get<{ plan: { gates: readonly GateSetting[] } }>(`/v1/rollouts/${id}/journal`),
    client.get<{ reports: { report: ProbeReport }[] }>(`/v1/verdicts/${id}`),
  ]);
  const asked = status.verdicts.filter((verdict) =>
    gate === null ? verdict.verdict !== "pass" : verdict.gate === gate || gateBaseName(verdict.gate) === gate,
  );
  if (gate !== null && asked.length === 0) {
    const known = status.verdicts.map((verdict) => verdict.gate).join(", ") || "none yet";
    throw new CliError(EXIT.badUsage, `gate "${gate}" has said nothing about ${rolloutId}; gates that spoke: ${known}`);
  }
  const explanations = asked.map((verdict) => explainVerdict(verdict, plan.gates, reports.at(-1)?.report));
  const cause = status.cause === null ? null : `${status.phase}: ${status.cause.text}`;
  if (options.json) {
    terminal.data(JSON.stringify({ id: rolloutId, phase: status.phase, cause, next: status.next, explanations }));
    return EXIT.ok;
  }
  terminal.data(`${rolloutId} is ${cause ?? status.phase}`);
  for (const explanation of explanations) for (const line of lines(explanation, terminal)) terminal.data(line);
  if (explanations.length === 0) terminal.data("every gate that spoke passed");
  terminal.data(`next: ${status.next}`);
  return EXIT.ok;
}
