import { forecastStage, type GateForecast } from "../../core/gate/forecast.ts";
import type { RolloutPlan, Stage } from "../../core/stage/plan.ts";
import { formatDurationMs } from "../../spec/duration.ts";
import { presetOf } from "../../spec/plan.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type DocumentFile, previewPlan, readDocument } from "../read-document.ts";
import type { Terminal } from "../terminal.ts";

export interface PlanOptions {
  readonly json: boolean;
  readonly detailedExitcode: boolean;
  /** Requests per second of the service today. */
  readonly rps: number;
}

interface StageForecast {
  readonly stage: Stage;
  readonly gates: readonly GateForecast[];
}

interface Warning {
  readonly code: string;
  readonly at: { readonly line: number; readonly column: number };
  readonly message: string;
  readonly fix: string;
}

/** A rollback is one push to the gateways and running answers ending; the push is confirmed within this. */
const PUSH_WORST_MS = 1_000;
/** Assumed of healthy traffic where nothing was measured; said aloud in the plan. */
const ASSUMED = { failureRate: 0.005, latencySigma: 0.5 } as const;

function forecast(plan: RolloutPlan, rps: number): readonly StageForecast[] {
  return plan.stages.map((stage) => {
    const gates = stage.kind === "traffic" ? forecastStage(plan, stage, { requestsPerSecond: rps, ...ASSUMED }) : [];
    return { stage, gates };
  });
}

/** Gates that cannot decide within a stage's cap, with the three ways out. */
function warningsOf(stages: readonly StageForecast[], document: DocumentFile): readonly Warning[] {
  const steps = document.document.spec.strategy?.canary.steps;
  return stages.flatMap(({ stage, gates }, index) => {
    if (stage.kind !== "traffic") return [];
    const at = document.source.locate(
      steps === undefined ? ["spec", "gates"] : ["spec", "strategy", "canary", "steps", index],
    );
    return gates
      .filter(({ isFeasible }) => !isFeasible)
      .map(({ gate, needsSamples }): Warning => {
        const needs = needsSamples === null ? "more than ten million" : String(needsSamples);
        const cap = formatDurationMs(stage.capMs);
        const message = `${gate} cannot decide at ${stage.candidateBp / 100} %: it needs ${needs} candidate requests, which take longer than the cap of ${cap}`;
        return { code: "W201", at, message, fix: "a longer cap, a higher share, or a wider margin" };
      });
  });
}

function stageWire({ stage, gates }: StageForecast, plan: RolloutPlan) {
  return {
    kind: stage.kind,
    share_bp: stage.kind === "traffic" ? stage.candidateBp : stage.kind === "watch" ? 10_000 : 0,
    hold_s: stage.kind === "probes" ? 0 : stage.holdMs / 1_000,
    gates: gates.map(({ gate, needsSamples, expectedS, isFeasible, detectable }) => {
      return { gate, needs_samples: needsSamples, expected_s: expectedS, feasible: isFeasible, detectable };
    }),
    worst_rollback_s: (PUSH_WORST_MS + (stage.kind === "probes" ? 0 : plan.drainMs)) / 1_000,
  };
}

function describeStage({ stage, gates }: StageForecast, index: number): string {
  if (stage.kind === "probes") return `  ${index}  probes   ${stage.tier} gold set, both arms, before users move`;
  if (stage.kind === "watch") return `  ${index}  100 %    watched ${formatDurationMs(stage.holdMs)}, stable kept warm`;
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
  return `  ${index}  ${`${stage.candidateBp / 100} %`.padEnd(8)} hold ${formatDurationMs(stage.holdMs)}, ${proof}`;
}

/** `sluice plan FILE`: what will happen, how long it takes at today's traffic, what each gate can and cannot see. */
export async function plan(file: string, options: PlanOptions, terminal: Terminal): Promise<ExitCode> {
  const document = await readDocument(file);
  const planned = await previewPlan(document);
  const stages = forecast(planned, options.rps);
  const warnings = warningsOf(stages, document);
  const { stable, candidate } = planned.arms;
  const changes = [{ kind: "route", service: planned.service, from: stable.releaseId, to: candidate.releaseId }];
  if (options.json) {
    const wire = stages.map((one) => stageWire(one, planned));
    terminal.data(JSON.stringify({ changes, stages: wire, warnings, assumed: { rps: options.rps, ...ASSUMED } }));
  } else {
    const preset = document.document.spec.gates.map(presetOf).find((found) => found !== null);
    const trust = planned.identity.stickyBy.join(", ");
    terminal.data(
      `${terminal.paint("strong", planned.rolloutId)}: ${planned.service}, ${stable.releaseId} -> ${candidate.releaseId}, sticky by ${trust}`,
    );
    if (preset != null) terminal.data(`  preset ${preset.name}: ${preset.says}`);
    stages.forEach((one, index) => terminal.data(describeStage(one, index)));
    for (const { gate, detectable } of stages.find(({ gates }) => gates.length > 0)?.gates ?? [])
      terminal.data(`     ${gate} sees ${detectable}`);
    const { failureRate, latencySigma } = ASSUMED;
    terminal.data(
      `  assumed: ${options.rps} requests/s (--rps), ${failureRate * 100} % errors, latency sigma ${latencySigma}`,
    );
    for (const { code, at, message, fix } of warnings)
      terminal.say(`${terminal.paint("warn", code)} ${file}:${at.line}:${at.column}  ${message}\n      fix: ${fix}`);
  }
  return options.detailedExitcode ? EXIT.hasChanges : EXIT.ok;
}
