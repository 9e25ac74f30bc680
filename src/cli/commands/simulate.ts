import { isCutover } from "../../core/cutover/plan.ts";
import { suggestion } from "../../core/did-you-mean.ts";
import type { Rate, Spread, Study } from "../../core/rehearsal/study.ts";
import { type Baseline, type Scenario, SCENARIOS, USUAL_BASELINE } from "../../core/rehearsal/scenario.ts";
import { studyPolicy } from "../../core/rehearsal/study.ts";
import { formatDurationMs } from "../../spec/duration.ts";
import type { SimulateAnswer } from "../answer/simulate-answer.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { previewPlan, readDocument } from "../read-document.ts";
import { readRecording, recordedScenario } from "../recording.ts";
import type { Terminal } from "../terminal.ts";

export interface SimulateOptions {
  readonly json: boolean;
  readonly policy: string;
  /** Recorded windows or events to draw traffic from; null for modelled traffic at `rps`. */
  readonly traffic: string | null;
  readonly rps: number;
  readonly scenarios: readonly string[];
  readonly runs: number;
  readonly seed: number;
  /** Virtual hours after which an undecided run is left. */
  readonly hours: number;
}

/** What is rehearsed when nobody names scenarios: one that must pass, and three that must not. */
const USUAL = ["healthy", "dead", "errors-2", "slow-40"];

function chosen(names: readonly string[]): readonly Scenario[] {
  const known = SCENARIOS.map(({ name }) => name);
  return (names.length === 0 ? USUAL : names.includes("all") ? known : names).map((name) => {
    const scenario = SCENARIOS.find((one) => one.name === name);
    if (scenario !== undefined) return scenario;
    throw new CliError(EXIT.badUsage, `unknown scenario "${name}"; ${suggestion(name, known)}`);
  });
}

const rateWire = ({ value, standardError }: Rate) => ({ value, standard_error: standardError });
const secondsWire = (spread: Spread | null) => spread;

/** One line of NDJSON: a scenario's outcomes, named as in the contract. */
function studyWire({ name, says, isHarmful }: Scenario, study: Study): SimulateAnswer {
  return {
    type: "scenario",
    scenario: name,
    says,
    runs: study.runs,
    false_abort: isHarmful ? null : rateWire(study.aborted),
    false_promote: isHarmful ? rateWire(study.promoted) : null,
    undecided: rateWire(study.undecided),
    time_to_decision_s: secondsWire(study.timeToDecisionS),
    candidate_requests_exposed: secondsWire(study.candidateRequestsExposed),
    time_to_100_s: secondsWire(study.timeTo100S),
    causes: study.causes,
  };
}

function shownRate({ value, standardError }: Rate): string {
  return `${(value * 100).toFixed(1)} % ± ${(standardError * 100).toFixed(1)}`;
}

function shownTime(spread: Spread | null): string {
  if (spread === null) return "-";
  return `${formatDurationMs(spread.p50 * 1_000)} (p95 ${formatDurationMs(spread.p95 * 1_000)})`;
}

function describe({ name, isHarmful }: Scenario, study: Study): string {
  const wrong = isHarmful ? `promoted ${shownRate(study.promoted)}` : `aborted ${shownRate(study.aborted)}`;
  const right = isHarmful
    ? `stopped after ${shownTime(study.timeToDecisionS)}, ${study.candidateRequestsExposed?.p50 ?? 0} requests exposed`
    : `at 100 % after ${shownTime(study.timeTo100S)}`;
  const undecided = study.undecided.value === 0 ? "" : `, undecided ${shownRate(study.undecided)}`;
  return `  ${name.padEnd(14)} ${wrong.padEnd(24)} ${right}${undecided}`;
}

/**
 * `sluice simulate --policy FILE`: carries the policy out in virtual time, many times, over candidates whose fate is
 * known. Identity and probes are taken to pass: only traffic is rehearsed.
 */
export async function simulate(options: SimulateOptions, terminal: Terminal): Promise<ExitCode> {
  const plan = await previewPlan(await readDocument(options.policy));
  if (isCutover(plan)) {
    const found = `${options.policy} moves everything at once, so there is no share to rehearse`;
    throw new CliError(EXIT.badUsage, `${found}; see its steps with: sluice plan ${options.policy}`);
  }
  const scenarios = chosen(options.scenarios);
  const recording = options.traffic === null ? null : await readRecording(options.traffic);
  const baseline: Baseline = { ...USUAL_BASELINE, requestsPerSecond: options.rps };
  const { runs, seed } = options;
  if (!options.json) {
    const granted = plan.shadow === undefined ? "probes" : "probes and shadow";
    const source = recording === null ? `${options.rps} requests/s` : `${recording.length} recorded seconds`;
    terminal.say(
      `${plan.rolloutId}: ${runs} runs a scenario over ${source}, from seed ${seed}; ${granted} taken to pass`,
    );
  }
  for (const scenario of scenarios) {
    const modelled = { requestsPerSecond: options.rps, arms: scenario.arms(baseline) };
    const traffic = recording === null ? modelled : recordedScenario(recording, scenario.name);
    if (traffic === null) {
      terminal.say(`  ${scenario.name.padEnd(14)} not rehearsed over a recording`);
      continue;
    }
    const study = studyPolicy(plan, traffic, { runs, seed, limitS: Math.round(options.hours * 3_600) });
    terminal.data(options.json ? JSON.stringify(studyWire(scenario, study)) : describe(scenario, study));
  }
  return EXIT.ok;
}
