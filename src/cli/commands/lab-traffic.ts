import { generateTraffic } from "../../lab/traffic/generate.ts";
import type { TrafficSummary } from "../../lab/traffic/tally.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

export interface LabTrafficOptions {
  readonly target: string;
  readonly questions: readonly string[];
  readonly rps: number;
  readonly seconds: number | null;
  readonly seed: number;
}

/** Nobody means to load a service for longer than this by forgetting to stop the generator. */
const SECONDS_MAX = 3_600;

const wire = (type: "progress" | "summary", summary: TrafficSummary) => JSON.stringify({ type, ...summary });

/**
 * `sluice lab traffic`: open-loop traffic until the time is up or a signal ends it. Prints what the
 * client saw as NDJSON: `progress` once a second, `summary` at the end.
 */
export async function labTraffic(options: LabTrafficOptions, terminal: Terminal): Promise<ExitCode> {
  const stop = new AbortController();
  const seconds = Math.min(options.seconds ?? SECONDS_MAX, SECONDS_MAX);
  const timer = setTimeout(() => stop.abort(), seconds * 1_000);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  const traffic = generateTraffic({
    targetUrl: options.target,
    requestsPerSecond: options.rps,
    questions: options.questions,
    seed: options.seed,
    signal: stop.signal,
  });
  const report = setInterval(() => terminal.data(wire("progress", traffic.snapshot())), 1_000);
  const summary = await traffic.finished;
  clearTimeout(timer);
  clearInterval(report);
  terminal.data(wire("summary", summary));
  return EXIT.ok;
}
