import { recordedTraffic } from "../core/rehearsal/recorded.ts";
import type { Traffic } from "../core/rehearsal/world.ts";
import { admitWindow } from "../core/window/admit-window.ts";
import { mergeArmWindows } from "../core/window/merge.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW, type TelemetryWindow } from "../core/window/window.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";
import { readNamedFile } from "./read-document.ts";

/** Harm put on top of recorded traffic, by scenario; the others need a model of stable that a recording does not give. */
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

function windowOf(line: string, number: number, path: string): TelemetryWindow {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw new CliError(EXIT.badUsage, `${path}:${number}  not JSON: ${(error as Error).message}`);
  }
  const admitted = admitWindow(json);
  if (!Array.isArray(admitted)) return admitted as TelemetryWindow;
  const [first] = admitted;
  throw new CliError(EXIT.badUsage, `${path}:${number}  not a telemetry window: ${first?.path} ${first?.message}`);
}

/** Seconds of stable traffic from telemetry windows, one JSON line each, all gateways together, gaps left out. */
export async function readRecording(path: string): Promise<readonly ArmWindow[]> {
  const lines = (await readNamedFile(path, "the recorded traffic")).split("\n");
  const seconds = new Map<number, ArmWindow>();
  lines.forEach((line, index) => {
    if (line.trim() === "") return;
    const { endMs, arms } = windowOf(line, index + 1, path);
    const second = Math.floor(endMs / 1_000);
    seconds.set(second, mergeArmWindows(seconds.get(second) ?? EMPTY_ARM_WINDOW, arms.stable));
  });
  if (seconds.size === 0) throw new CliError(EXIT.badUsage, `${path} holds no telemetry window, expected one a line`);
  return [...seconds].sort(([a], [b]) => a - b).map(([, window]) => window);
}

/** A scenario over recorded seconds; null where it cannot be put on top of them. */
export function recordedScenario(seconds: readonly ArmWindow[], name: string): Traffic | null {
  const harm = HARMS[name];
  return harm === undefined ? null : recordedTraffic(seconds, harm);
}
