import type { Signals } from "./service-event.ts";
import type { Told } from "./signals.ts";
import { LatencySketch, type SparseBins } from "./sketch.ts";
import type { ArmWindow, Counter, Gauge, GaugeSum, Timing } from "./window.ts";

/** What services said of their answers since the last cut; empty where nobody says anything, which is no zero. */
export class ServiceWords {
  #counters: Partial<Record<Counter, number>> = {};
  #gauges: Partial<Record<Gauge, GaugeSum>> = {};
  readonly #timings = new Map<Timing, LatencySketch>();

  count(name: Counter, times: number): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + times;
  }

  hear({ counters, gauges, timings }: Signals): void {
    for (const [name, times] of entriesOf(counters)) this.count(name, times);
    this.#read(gauges);
    for (const [name, ms] of entriesOf(timings)) {
      const sketch = this.#timings.get(name) ?? new LatencySketch();
      this.#timings.set(name, sketch);
      sketch.record(ms);
    }
  }

  /** What one answer was told to be: a reading of each signal. */
  tell(told: Told): void {
    this.#read(told);
  }

  drain(): Pick<ArmWindow, "counters" | "gauges" | "timings"> {
    const words = { counters: this.#counters, gauges: this.#gauges, ...this.#drainTimings() };
    this.#counters = {};
    this.#gauges = {};
    return words;
  }

  #read(levels: Signals["gauges"]): void {
    for (const [name, level] of entriesOf(levels)) {
      const before = this.#gauges[name] ?? { sum: 0, readings: 0 };
      this.#gauges[name] = { sum: before.sum + level, readings: before.readings + 1 };
    }
  }

  #drainTimings(): Pick<ArmWindow, "timings"> {
    const timings: Partial<Record<Timing, SparseBins>> = {};
    for (const [name, sketch] of this.#timings) {
      const bins = sketch.drain();
      if (bins.length > 0) timings[name] = bins;
    }
    return Object.keys(timings).length === 0 ? {} : { timings };
  }
}

function entriesOf<Name extends string>(values: Readonly<Partial<Record<Name, number>>>): readonly [Name, number][] {
  return Object.entries(values) as [Name, number][];
}
