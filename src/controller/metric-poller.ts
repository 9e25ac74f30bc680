import type { Reading, ReadingOutcome } from "../core/judge/block.ts";
import type { MetricPlan } from "../core/stage/plan.ts";
import { type EpochMs, epochMs } from "../core/unit.ts";
import type { Clock } from "../ports/clock.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { MetricSource } from "../ports/metric-source.ts";

/** Where a metric of a plan is read. */
export type MetricSources = (metric: MetricPlan) => MetricSource;

/**
 * Reads the metrics of one rollout when they are due. A source that cannot be asked is an `error` reading: it
 * interrupts a pass and a stop alike.
 */
export class MetricPoller {
  readonly #sources: MetricSources;
  readonly #clock: Clock;
  readonly #readAtMonoMs = new Map<string, number>();

  constructor(sources: MetricSources, clock: Clock) {
    this.#sources = sources;
    this.#clock = clock;
  }

  isDue(metrics: readonly MetricPlan[]): boolean {
    return metrics.some((metric) => this.#isDue(metric));
  }

  /** Metrics that are due now; each is told once an interval, whether or not its last reading came back. */
  due(metrics: readonly MetricPlan[]): readonly MetricPlan[] {
    const nowMs = this.#clock.monoMs();
    const due = metrics.filter((metric) => this.#isDue(metric));
    for (const { name } of due) this.#readAtMonoMs.set(name, nowMs);
    return due;
  }

  #isDue({ name, everyMs }: MetricPlan): boolean {
    return this.#clock.monoMs() - (this.#readAtMonoMs.get(name) ?? Number.NEGATIVE_INFINITY) >= everyMs;
  }

  async read(metric: MetricPlan): Promise<Reading> {
    const source = this.#sources(metric);
    const atMs = epochMs(this.#clock.wallMs());
    const ask = (query: string) => outcomeOf(source, { query, maxAgeMs: metric.maxAgeMs }, atMs);
    const [candidate, stable] = await Promise.all([
      ask(metric.candidate),
      metric.stable === null ? null : ask(metric.stable),
    ]);
    return { metric: metric.name, atMs, candidate, stable };
  }
}

async function outcomeOf(
  source: MetricSource,
  order: Parameters<MetricSource["read"]>[0],
  now: EpochMs,
): Promise<ReadingOutcome> {
  try {
    const reading = await source.read(order, now);
    return reading.kind === "value" ? { kind: "value", value: reading.value } : reading;
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    return { kind: "error", reason: `${source.name} cannot be asked (${error.code}): ${error.message}` };
  }
}
