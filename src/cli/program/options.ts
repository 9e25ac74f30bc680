import { type Command, InvalidArgumentError } from "commander";
import type { LatencyPeak, LatencyShape } from "../../core/stats/latency-shape.ts";
import { parseDurationMs } from "../../spec/duration.ts";
import type { ExitCode } from "../exit-code.ts";

/** Options of every command that talks to a controller. */
export interface Shared {
  readonly json: boolean;
  readonly data: string;
  readonly controller?: string;
}

/** Where a controller keeps everything when nobody says otherwise. */
export const DATA_DIR = ".sluice";

/** Reads a whole number of a range. */
export function integer(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`expected a whole number ${low} to ${high}`);
  };
}

/** Reads a number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("expected a number above 0");
}

/** Reads a share of one, both ends excluded. */
export function share(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value < 1) return value;
  throw new InvalidArgumentError("expected a share between 0 and 1, e.g. 0.005");
}

/** Reads a duration in milliseconds. */
export function duration(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== null && ms > 0) return ms;
  throw new InvalidArgumentError("expected a duration with its unit, e.g. 30m or 1h");
}

const DAY_MS = 86_400_000;

/** Reads an age in milliseconds: whole days, or a duration. */
export function age(text: string): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const ms = days === undefined ? parseDurationMs(text) : Number(days) * DAY_MS;
  if (ms !== null) return ms;
  throw new InvalidArgumentError("expected an age with its unit, e.g. 30d or 12h");
}

/** Shares that were written with few digits may miss one by this much. */
const ROUNDING = 0.001;

/** Reads peaks of a latency: `share:median:sigma` of each, the shares summing to 1. */
export function latencyPeaks(text: string): LatencyShape {
  const peaks = text.split(",").map((one): LatencyPeak => {
    const [part = "", median = "", sigma = "", more] = one.split(":");
    if (more !== undefined || sigma === "")
      throw new InvalidArgumentError(`expected share:median:sigma, e.g. 0.9:40ms:0.4, not "${one}"`);
    return { share: share(part), medianMs: duration(median), logDeviation: positive(sigma) };
  });
  const sum = peaks.reduce((all, peak) => all + peak.share, 0);
  if (Math.abs(sum - 1) < ROUNDING) return peaks;
  throw new InvalidArgumentError(`the shares of the peaks sum to ${Number(sum.toPrecision(4))}, expected 1`);
}

/** Collects an option that may be given several times. */
export function collect(value: string, list: readonly string[]): readonly string[] {
  return [...list, value];
}

export const port = integer(0, 65_535);
export const seed = integer(0, 2 ** 32 - 1);

/** Registers a command with the options every command has. */
export type Verb = (name: string, summary: string, parent?: Command) => Command;

/** Wraps what runs a command, so that its exit code is kept. */
export type Act = <T extends unknown[]>(
  work: (...args: T) => Promise<ExitCode>,
) => (...args: unknown[]) => Promise<void>;
