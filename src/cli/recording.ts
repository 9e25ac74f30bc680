import { recordedTraffic } from "../core/rehearsal/recorded.ts";
import type { Traffic } from "../core/rehearsal/world.ts";
import { ArmNames } from "../core/trace/arm-names.ts";
import { TraceRecording } from "../core/trace/trace-recording.ts";
import type { ArmWindow } from "../core/window/window.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";
import { readLines } from "./judge/read-lines.ts";

/**
 * Harm put on top of recorded traffic, by scenario; the others need a model of stable that a recording does not give.
 */
const HARMS: Readonly<Record<string, { readonly failureRate: number; readonly latencyFactor: number }>> = {
  healthy: { failureRate: 0, latencyFactor: 1 },
  "errors-1": { failureRate: 0.01, latencyFactor: 1 },
  "errors-2": { failureRate: 0.02, latencyFactor: 1 },
  "errors-5": { failureRate: 0.05, latencyFactor: 1 },
  "errors-50": { failureRate: 0.5, latencyFactor: 1 },
  dead: { failureRate: 1, latencyFactor: 1 },
  "slow-25": { failureRate: 0, latencyFactor: 1.25 },
  "slow-40": { failureRate: 0, latencyFactor: 1.4 },
  "slow-60": { failureRate: 0, latencyFactor: 1.6 },
};

/**
 * Seconds of stable traffic from a recording: wide events or telemetry windows, one JSON line each. A line that is
 * neither is bad usage: a rehearsal on half a recording would look like one on a whole.
 */
export async function readRecording(path: string): Promise<readonly ArmWindow[]> {
  const recording = new TraceRecording(new ArmNames([]));
  await readLines(recording, path);
  const { bad, badLines } = recording;
  if (bad !== null) throw new CliError(EXIT.badUsage, `${path}:${bad.line}  ${bad.reason} (${badLines} such lines)`);
  const seconds = recording.finish();
  if (seconds.length === 0) {
    const message = `${path} holds no traffic of stable; expected wide events or telemetry windows, one a line`;
    throw new CliError(EXIT.badUsage, message);
  }
  return seconds;
}

/** A scenario over recorded seconds; null where it cannot be put on top of them. */
export function recordedScenario(seconds: readonly ArmWindow[], name: string): Traffic | null {
  const harm = HARMS[name];
  return harm === undefined ? null : recordedTraffic(seconds, harm);
}
