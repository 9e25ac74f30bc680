import type { Mode } from "../../core/judge/fields.ts";
import { ArmNames } from "../../core/trace/arm-names.ts";
import { EventJudge } from "../../core/trace/event-judge.ts";
import type { TraceRules } from "../../core/trace/judgement.ts";
import { WindowJudge } from "../../core/trace/window-judge.ts";
import type { VerdictKind } from "../../core/verdict.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { LOG_FORMATS } from "../judge/format/formats.ts";
import type { LogFormat } from "../judge/format/log-format.ts";
import { LogJudge } from "../judge/log-judge.ts";
import { answerOnWire, tellAnswer } from "../judge/answer.ts";
import { readLines } from "../judge/read-lines.ts";
import { readProbeResults } from "../judge/probe-results.ts";
import { readArmMap, readSplit, rulesOfFile, rulesOfPreset, withMode } from "../judge/rules.ts";
import type { Terminal } from "../terminal.ts";

export interface JudgeOptions {
  readonly json: boolean;
  /** Path of the events or of the windows, `-` for stdin; exactly one of them. */
  readonly trace: string | null;
  readonly windows: string | null;
  readonly probeResults: string | null;
  readonly preset: string;
  readonly gates: string | null;
  readonly mode: Mode | null;
  readonly split: string | null;
  readonly holdMs: number | null;
  readonly armMap: string | null;
  readonly only: "trace" | null;
  /** Product whose access log the trace is; null for wide events. */
  readonly format: string | null;
  /** Field of that log that holds the arm, instead of the usual ones. */
  readonly armField: string | null;
}

const EXITS: Readonly<Record<VerdictKind, ExitCode>> = {
  pass: EXIT.ok,
  fail: EXIT.gateFailed,
  inconclusive: EXIT.waiting,
  "no-data": EXIT.waiting,
  error: EXIT.toolError,
};

async function rulesOf(options: JudgeOptions): Promise<TraceRules> {
  const { gates, ladder } = options.gates === null ? rulesOfPreset(options.preset) : await rulesOfFile(options.gates);
  return {
    gates: options.mode === null ? gates : withMode(gates, options.mode),
    ladder,
    holdMs: options.holdMs,
    splitBp: options.split === null ? null : readSplit(options.split),
    probes: options.probeResults === null ? null : await readProbeResults(options.probeResults),
    isTraceOnly: options.only === "trace",
  };
}

function formatOf({ format, armField, trace }: JudgeOptions): LogFormat | null {
  if (format === null) {
    if (armField === null) return null;
    throw new CliError(EXIT.badUsage, "--arm-field names a field of an access log: say which with --format");
  }
  if (trace === null) throw new CliError(EXIT.badUsage, "--format reads an access log: give it as --trace FILE");
  return LOG_FORMATS[format]?.() ?? null;
}

/** `sluice judge`: what the gates would have said, had they watched while a trace was recorded. */
export async function judge(options: JudgeOptions, terminal: Terminal): Promise<ExitCode> {
  const rules = await rulesOf(options);
  const path = options.trace ?? options.windows;
  if (path === null || (options.trace !== null && options.windows !== null))
    throw new CliError(EXIT.badUsage, "expected --trace FILE or --windows FILE, exactly one of them; - reads stdin");
  const names = new ArmNames(options.armMap === null ? [] : readArmMap(options.armMap));
  const format = formatOf(options);
  const events = new EventJudge(rules, names);
  const armFields = options.armField === null ? null : [options.armField];
  const ofTrace = format === null ? events : new LogJudge(events, format, armFields);
  const lines = options.windows === null ? ofTrace : new WindowJudge(rules);
  await readLines(lines, path, format?.lines);
  const judgement = lines.finish();
  if (options.json) terminal.data(JSON.stringify(answerOnWire(judgement, options.windows !== null)));
  else tellAnswer(judgement, terminal);
  return EXITS[judgement.kind];
}
